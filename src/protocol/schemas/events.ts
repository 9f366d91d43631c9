/** Events: their properties, and the definitions that name the properties' types. Limits are those of the People platform. */
import * as v from "valibot";
import type { PropertyType, WireProperties, WireScalar, WireValue } from "../wire.js";
import { LIMITS, PROPERTY_TYPES } from "../wire.js";
import { isObject, nameSchema, record } from "./building-blocks.js";
import { isDateTime } from "./times.js";

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
// Not a union: its message would name the item, and not the field that is wrong.
const listSchema = v.array(v.lazy((input) => (isObject(input) ? flatObjectSchema : itemScalarSchema)));
const plainNumberSchema = numberSchema(SCALAR_MESSAGE);
const valueSchema: v.GenericSchema<unknown, WireValue> = v.lazy((input) => {
  if (Array.isArray(input)) return listSchema;
  // A union tries its schemas in turn, and a failed attempt costs ten times as much as a successful one.
  return typeof input === "number" ? plainNumberSchema : scalarSchema;
});

/** The properties that any definition could allow: names, counts and values that can be sent. */
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
