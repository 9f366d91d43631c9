import { randomUUID } from "node:crypto";
import { sql } from "drizzle-orm";
import type { WirePerson, WireScalar } from "../../../src/protocol/wire.js";
import { LIMITS } from "../../../src/protocol/wire.js";
import type { Database } from "../database/database.js";
import { profiles, type PersonFields } from "../database/schema.js";
import { rejection, type Rejection } from "./rejection.js";

/** A person is read and written as a whole, so every field that an update adds makes later updates slower. */
const PERSON_BYTES = 1024 * 1024;

/**
 * A person's fields while a batch changes them. They are copied once and then changed in place. Their size only grows
 * within a batch, so that each of thousands of updates costs no more than its own length.
 */
export interface FieldsDraft {
  readonly fields: PersonFields;
  readonly tags: Set<string>;
  changed: boolean;
  bytes: number;
}

export const draftFields = (fields: PersonFields): FieldsDraft => ({
  fields: structuredClone(fields),
  tags: new Set(fields.tags),
  changed: false,
  bytes: JSON.stringify(fields).length,
});

const finishFields = ({ fields, tags }: FieldsDraft): PersonFields => ({
  ...fields,
  ...((tags.size || fields.tags) && { tags: [...tags] }),
});

const grow = (draft: FieldsDraft, addition: unknown): Rejection | null => {
  const bytes = draft.bytes + JSON.stringify(addition).length;
  if (bytes > PERSON_BYTES) return rejection(4228, `a person holds at most ${PERSON_BYTES} bytes`);
  draft.bytes = bytes;
  draft.changed = true;
  return null;
};

/** The existing items and then the new ones, without duplicates. */
const union = <Item>(have: readonly Item[], add: readonly Item[], key: (item: Item) => string): Item[] => [
  ...new Map([...have, ...add].map((item) => [key(item), item])).values(),
];

/** Replaces the given fields and keeps the others. Tags and contacts are added to the existing ones. */
export function updatePerson(draft: FieldsDraft, update: WirePerson): Rejection | null {
  const { fields } = draft;
  const { tags, contactInformation, customAttributes, integrations, ...plain } = update;
  const email = union(
    fields.contactInformation?.email ?? [],
    contactInformation?.email ?? [],
    (item) => item.address,
  );
  const phone = union(
    fields.contactInformation?.phone ?? [],
    contactInformation?.phone ?? [],
    (item) => item.number,
  );
  if (Math.max(email.length, phone.length) > LIMITS.contactsPerKind)
    return rejection(4228, `a person has at most ${LIMITS.contactsPerKind} contacts of a kind`);
  const full = grow(draft, update);
  if (full) return full;

  Object.assign(fields, plain);
  for (const tag of tags ?? []) draft.tags.add(tag);
  if (contactInformation)
    fields.contactInformation = {
      ...((email.length || contactInformation.email) && { email }),
      ...((phone.length || contactInformation.phone) && { phone }),
    };
  if (customAttributes) Object.assign((fields.customAttributes ??= {}), customAttributes);
  if (integrations?.salesforce)
    fields.integrations = { salesforce: { ...fields.integrations?.salesforce, ...integrations.salesforce } };
  return null;
}

/** Appends an item to an attribute of type list. The item gets an id unless it has one. */
export function appendToList(
  draft: FieldsDraft,
  attribute: string,
  item: Record<string, WireScalar>,
): Rejection | null {
  const { customAttributes = {} } = draft.fields;
  const list = Object.hasOwn(customAttributes, attribute) ? customAttributes[attribute]! : [];
  if (!Array.isArray(list)) return rejection(4228, `${attribute} is not a list`);
  const identified = { id: randomUUID(), ...item };
  const full = grow(draft, { [attribute]: identified });
  if (full) return full;
  list.push(identified);
  customAttributes[attribute] = list;
  draft.fields.customAttributes = customAttributes;
  return null;
}

export async function writeFields(tx: Database, owner: number, draft: FieldsDraft): Promise<void> {
  await tx
    .update(profiles)
    .set({ fields: finishFields(draft) })
    .where(sql`${profiles.key} = ${owner}`);
}
