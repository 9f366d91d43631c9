/** A person's fields and attributes. Limits are those of the People platform. */
import * as v from "valibot";
import type { WirePerson, WireScalar } from "../wire.js";
import { LIMITS } from "../wire.js";
import { bare, nameSchema, record, text } from "./building-blocks.js";
import { isRealDate } from "./times.js";

export const attributeNameSchema = v.pipe(
  nameSchema,
  v.minLength(1, "must not be empty"),
  v.maxLength(LIMITS.attributeNameLength, `must have at most ${LIMITS.attributeNameLength} characters`),
  v.regex(/^[^{}[\]]*$/, "must hold none of {}[]"),
);
const attributeScalarSchema: v.GenericSchema<unknown, WireScalar> = v.union(
  [text(LIMITS.attributeValueLength), v.pipe(v.number(), v.finite()), v.boolean()],
  `must be a string of at most ${LIMITS.attributeValueLength} characters, a number or a boolean`,
);
export const listItemSchema: v.GenericSchema<unknown, Record<string, WireScalar>> = v.pipe(
  record(nameSchema, attributeScalarSchema, "must be a flat object"),
  v.check((item) => Object.keys(item).length > 0, "must hold at least one field"),
);
const attributeValueSchema: v.GenericSchema<unknown, WireScalar | Record<string, WireScalar>[]> = v.lazy(
  (input) => (Array.isArray(input) ? v.array(listItemSchema) : attributeScalarSchema),
);

/** An object of these fields and no others. */
const fieldsOf = <Fields extends v.ObjectEntries>(fields: Fields) =>
  v.strictObject(bare(fields), ({ expected }) => {
    if (expected === "never") return "is not a field of a person";
    return expected === "Object" ? "must be an object" : "is missing";
  });

export const personSchema: v.GenericSchema<unknown, WirePerson> = v.pipe(
  fieldsOf({
    firstName: v.exactOptional(text(255)),
    lastName: v.exactOptional(text(255)),
    middleName: v.exactOptional(text(50)),
    address: v.exactOptional(text(256)),
    city: v.exactOptional(text(50)),
    country: v.exactOptional(text(50)),
    externalId: v.exactOptional(text(256)),
    gender: v.exactOptional(
      v.pipe(v.string("must be a string"), v.regex(/^(male|female)$/i, "must be male or female")),
    ),
    birthDate: v.exactOptional(
      v.pipe(
        v.string("must be a string"),
        v.regex(/^\d{4}-\d{2}-\d{2}$/, "must be YYYY-MM-DD"),
        v.check(isRealDate, "must be a real date"),
      ),
    ),
    preferredLanguage: v.exactOptional(
      v.pipe(v.string("must be a string"), v.regex(/^[a-z]{2}(-[a-z]{2})?$/i, "must be xx or xx-YY")),
    ),
    profilePicture: v.exactOptional(v.pipe(text(2083), v.url("must be a URL"))),
    tags: v.exactOptional(v.array(v.string("must be a string"), "must be a list of strings")),
    contactInformation: v.exactOptional(
      fieldsOf({
        email: v.exactOptional(contacts(fieldsOf({ address: text(255) }))),
        phone: v.exactOptional(
          contacts(
            fieldsOf({
              number: v.pipe(text(50), v.regex(/^\d+$/, "must be digits only (E.164 without the +)")),
            }),
          ),
        ),
      }),
    ),
    customAttributes: v.exactOptional(record(attributeNameSchema, attributeValueSchema)),
    integrations: v.exactOptional(
      fieldsOf({
        salesforce: v.exactOptional(
          fieldsOf({
            contactId: v.exactOptional(v.string("must be a string")),
            leadId: v.exactOptional(v.string("must be a string")),
          }),
        ),
      }),
    ),
  }),
  v.check((person) => Object.keys(person).length > 0, "must hold at least one field"),
);
function contacts<Item>(item: v.GenericSchema<unknown, Item>) {
  return v.pipe(
    v.array(item, "must be a list"),
    v.maxLength(LIMITS.contactsPerKind, `must hold at most ${LIMITS.contactsPerKind}`),
  );
}
