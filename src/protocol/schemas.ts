/**
 * The wire's rules as Valibot schemas, shared by the tracker (which refuses bad input at the call) and by the service
 * (which trusts nobody). Limits are the real People platform's.
 */
import * as v from "valibot";
import type { InspectQuery } from "./host.js";
import type {
  BatchAnswer,
  DefinitionsAnswer,
  ErrorBody,
  Operation,
  PropertyType,
  RegistrationAnswer,
  RegistrationRequest,
  WirePerson,
  WireProperties,
  WireScalar,
  WireValue,
} from "./wire.js";
import { LIMITS, PROPERTY_TYPES } from "./wire.js";

const text = (max: number) =>
  v.pipe(v.string("must be a string"), v.maxLength(max, `must have at most ${max} characters`));

const isRealDate = (date: string): boolean => {
  const time = Date.parse(`${date}T00:00:00.000Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(date);
};
const DATE_TIME = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?$/;
const isDateTime = (value: string): boolean =>
  DATE_TIME.test(value) && !Number.isNaN(Date.parse(value)) && isRealDate(value.slice(0, 10));

const isItsOwnTime = (value: string): boolean => {
  const time = Date.parse(value);
  return !Number.isNaN(time) && new Date(time).toISOString() === value;
};

/** ISO 8601 UTC with milliseconds. */
export const instantSchema = v.pipe(
  v.string("must be a time"),
  v.regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/, "must be an ISO 8601 UTC time with milliseconds"),
  // Nearly every time is what the machine would have written, and that is told with one parsing.
  v.check((value) => isItsOwnTime(value) || isDateTime(value), "must be a real time"),
);

export const operationIdSchema = v.pipe(
  v.string("must be a string"),
  v.regex(/^[A-Za-z0-9_-]{1,36}$/, "must be 1–36 of A–Z a–z 0–9 _ -"),
);
export const sessionIdSchema = v.pipe(
  v.string("must be a string"),
  v.regex(/^[A-Za-z0-9_-]{1,30}$/, "must be 1–30 of A–Z a–z 0–9 _ -"),
);
/** Ids of persons and visitors. */
export const profileIdSchema = v.pipe(v.string("must be a string"), v.minLength(1), v.maxLength(128));

/**
 * What every name must be: of a property, an attribute, a list item's field. All but one can be carried: to set `__proto__`
 * on an object is to set its prototype.
 */
const nameSchema = v.pipe(
  v.string("must be a string"),
  v.check((name) => name !== "__proto__", "must not be named __proto__"),
);

/**
 * Looks at each of an object's own fields, and tells of the first that is wrong. Valibot's `record` passes over those named
 * `prototype` and `constructor`.
 */
const everyField = <Value>(
  names: v.GenericSchema<string, string>,
  values: v.GenericSchema<unknown, Value>,
): v.GenericSchema<Record<string, unknown>, Record<string, Value>> => ({
  ...v.record(names, values),
  "~run"(dataset, config) {
    const input = dataset.value as Record<string, Value>;
    for (const key of Object.keys(input)) {
      const value = input[key];
      const [issue] =
        names["~run"]({ value: key }, config).issues ?? values["~run"]({ value }, config).issues ?? [];
      if (!issue) continue;
      const at = { type: "object", origin: "value", input, key, value } as const;
      return { typed: false, value: input, issues: [{ ...issue, path: [at, ...(issue.path ?? [])] }] };
    }
    // No schema of a value changes it, so that what came in goes out.
    return { typed: true, value: input };
  },
});

const isObject = (input: unknown): boolean =>
  typeof input === "object" && input !== null && !Array.isArray(input);

/** Fields of the sender's own names. */
const record = <Value>(
  names: v.GenericSchema<string, string>,
  values: v.GenericSchema<unknown, Value>,
  message = "must be an object",
) => v.pipe(v.custom<Record<string, unknown>>(isObject, message), everyField(names, values));

/** Valibot walks over entries with `for…in`, which also meets what a page's libraries have added to every object. */
const bare = <Entries extends v.ObjectEntries>(entries: Entries): Entries =>
  Object.assign(Object.create(null) as object, entries);
const object = <Entries extends v.ObjectEntries>(entries: Entries, message?: string) =>
  v.object(bare(entries), message);

// --- events ---

export const definitionIdSchema = v.pipe(
  v.string("must be a string"),
  v.regex(/^[a-zA-Z0-9]{1,36}$/, "must be 1–36 letters or digits"),
);
export const propertyNameSchema = v.pipe(
  nameSchema,
  v.maxLength(LIMITS.propertyNameLength, `must have at most ${LIMITS.propertyNameLength} characters`),
  v.regex(/^[a-z_][a-zA-Z0-9_]*$/, "must begin with a–z or _ and go on with letters, digits or _"),
);
const uniqueWithoutCase = (names: string[]): boolean =>
  new Set(names.map((name) => name.toLowerCase())).size === names.length;

const numberSchema = (message: string) => v.pipe(v.number(message), v.finite(message));
const scalar = (message: string): v.GenericSchema<unknown, WireScalar> =>
  v.union([v.string(), numberSchema(message), v.boolean()], message);

const SCALAR_MESSAGE = "must be a string, a number or a boolean";
const scalarSchema = scalar(SCALAR_MESSAGE);
const flatObjectSchema = record(nameSchema, scalarSchema);
const itemScalarSchema = scalar("must be a string, a number, a boolean or a flat object");
// Not a union, which would tell of the item what is wrong with one of its fields.
const listSchema = v.array(v.lazy((input) => (isObject(input) ? flatObjectSchema : itemScalarSchema)));
const plainNumberSchema = numberSchema(SCALAR_MESSAGE);
const valueSchema: v.GenericSchema<unknown, WireValue> = v.lazy((input) => {
  if (Array.isArray(input)) return listSchema;
  // A union tries what it holds in turn, and a failed trial costs ten times a good one.
  return typeof input === "number" ? plainNumberSchema : scalarSchema;
});

/** What any definition could allow: names, counts and values that can be carried. */
export const eventPropertiesSchema: v.GenericSchema<unknown, WireProperties> = v.pipe(
  record(propertyNameSchema, valueSchema),
  v.check(
    (properties) => Object.keys(properties).length > 0,
    "must hold at least one property, or be left out",
  ),
  v.check(
    (properties) => Object.keys(properties).length <= LIMITS.propertiesPerEvent,
    `must hold at most ${LIMITS.propertiesPerEvent} properties`,
  ),
  v.check(
    (properties) => uniqueWithoutCase(Object.keys(properties)),
    "property names must differ in more than case",
  ),
  v.check(
    (properties) => Object.values(properties).filter(Array.isArray).length <= 1,
    "must hold at most one list",
  ),
);

const PROPERTY_TYPE_SCHEMAS: Record<PropertyType, v.GenericSchema> = {
  string: v.string(),
  boolean: v.boolean(),
  datetime: v.pipe(v.string(), v.check(isDateTime)),
  numeric: v.pipe(v.number(), v.integer()),
  decimal: v.pipe(v.number(), v.finite()),
  list: listSchema,
};
/** Whether a property's value is of the type that its definition names. */
export const isOfPropertyType = (type: PropertyType, value: unknown): boolean =>
  v.is(PROPERTY_TYPE_SCHEMAS[type], value);

export const definitionPropertiesSchema: v.GenericSchema<unknown, Record<string, PropertyType>> = v.pipe(
  record(propertyNameSchema, v.picklist(PROPERTY_TYPES, `must be one of ${PROPERTY_TYPES.join(", ")}`)),
  v.check(
    (properties) => Object.keys(properties).length <= LIMITS.propertiesPerEvent,
    `must define at most ${LIMITS.propertiesPerEvent} properties`,
  ),
  v.check(
    (properties) => uniqueWithoutCase(Object.keys(properties)),
    "property names must differ in more than case",
  ),
  v.check(
    (properties) => Object.values(properties).filter((type) => type === "list").length <= 1,
    "must define at most one list",
  ),
);

// --- persons ---

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

// --- requests, as the service reads them ---

export const profileSchema = v.variant("kind", [
  object({
    kind: v.literal("visitor"),
    id: v.pipe(v.string(), v.uuid("a visitor's id must be a UUID")),
  }),
  object({ kind: v.literal("lead"), id: profileIdSchema }),
  object({ kind: v.literal("authenticated"), id: profileIdSchema }),
]);
export const registrationRequestSchema: v.GenericSchema<unknown, RegistrationRequest> = object({
  profile: profileSchema,
  liveChatToken: v.exactOptional(v.string()),
});

/** What every operation has; a batch with an operation that lacks it cannot be answered by id and is refused whole. */
export const operationEnvelopeSchema = v.looseObject(bare({ id: operationIdSchema, type: v.string() }));

const operationBase = { id: operationIdSchema, occurredAt: instantSchema };
export const operationSchema: v.GenericSchema<unknown, Operation> = v.variant("type", [
  object({
    ...operationBase,
    type: v.literal("event"),
    sessionId: sessionIdSchema,
    definitionId: definitionIdSchema,
    properties: v.exactOptional(eventPropertiesSchema),
    page: v.exactOptional(object({ url: v.string(), title: v.string() })),
  }),
  object({ ...operationBase, type: v.literal("person.update"), person: personSchema }),
  object({
    ...operationBase,
    type: v.literal("list.append"),
    attribute: attributeNameSchema,
    item: listItemSchema,
  }),
  object({
    ...operationBase,
    type: v.literal("profile.merge"),
    from: object({ kind: v.literal("visitor"), id: v.pipe(v.string(), v.uuid()), token: v.string() }),
  }),
]);
export const batchRequestSchema = object({
  id: v.pipe(v.string(), v.minLength(1), v.maxLength(64)),
  sentAt: instantSchema,
  sdk: v.pipe(v.string(), v.maxLength(128)),
  operations: v.pipe(
    v.array(operationEnvelopeSchema),
    v.minLength(1),
    v.maxLength(LIMITS.operationsPerBatch, `must hold at most ${LIMITS.operationsPerBatch} operations`),
  ),
});

// --- answers, as the tracker reads them ---

/** Visible ASCII: what every HTTP header can carry. */
export const headerValueSchema = v.pipe(v.string(), v.regex(/^[\x21-\x7e]+$/));
export const registrationAnswerSchema: v.GenericSchema<unknown, RegistrationAnswer> = object({
  token: headerValueSchema,
  expiresAt: v.string(),
  expiresInMs: v.pipe(v.number(), v.finite(), v.minValue(0)),
  definitionsVersion: v.string(),
});
export const batchAnswerSchema: v.GenericSchema<unknown, BatchAnswer> = object({
  results: v.array(
    object({
      id: v.string(),
      status: v.picklist(["accepted", "duplicate", "rejected"]),
      error: v.exactOptional(object({ code: v.number(), name: v.string(), message: v.string() })),
    }),
  ),
});
export const definitionsAnswerSchema: v.GenericSchema<unknown, DefinitionsAnswer> = object({
  version: v.string(),
  definitions: v.array(
    object({
      id: v.string(),
      title: v.exactOptional(v.string()),
      properties: record(v.string(), v.picklist(PROPERTY_TYPES)),
    }),
  ),
});
export const errorBodySchema: v.GenericSchema<unknown, ErrorBody> = object({
  error: object({
    code: v.number(),
    name: v.string(),
    message: v.string(),
    origin: v.string(),
    platform: v.string(),
  }),
});

// --- what pages ask of their host ---

const whole = v.exactOptional(
  v.pipe(
    v.number("must be a whole number"),
    v.safeInteger("must be a whole number"),
    v.minValue(0, "must not be negative"),
  ),
);
export const inspectQuerySchema: v.GenericSchema<unknown, InspectQuery> = object(
  {
    state: v.exactOptional(v.picklist(["waiting", "rejected"], "must be waiting or rejected")),
    after: whole,
    limit: whole,
  },
  "must be an object",
);
export const idsSchema = v.optional(v.array(v.string("must be a string"), "must be a list of strings"));

/** The input, narrowed, or `null` where it is not of that shape. */
export const parsed = <Output>(schema: v.GenericSchema<unknown, Output>, input: unknown): Output | null => {
  const result = v.safeParse(schema, input);
  return result.success ? result.output : null;
};

/** The first problem of an input as one clause that names its path. */
export const firstProblem = (schema: v.GenericSchema, input: unknown, root = ""): string | null => {
  const result = v.safeParse(schema, input, { abortEarly: true });
  if (result.success) return null;
  return problemOf(result.issues[0], root);
};

/** An issue as one clause that names its path: `birthDate must be YYYY-MM-DD`. */
export const problemOf = (issue: v.BaseIssue<unknown>, root = ""): string => {
  const path = (issue.path ?? []).reduce((text, { key }) => {
    if (typeof key === "number") return `${text}[${key}]`;
    return text ? `${text}.${String(key)}` : String(key);
  }, root);
  return path ? `${path} ${issue.message}` : issue.message;
};
