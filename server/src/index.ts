export { createPeopleService, type PeopleService } from "./service.js";
export type { Limits, PeopleServiceOptions } from "./options.js";
export type { DatabaseOptions } from "./database.js";
export type { ApiKey, ApiKeys } from "./api-keys.js";
export type { Definitions } from "./definitions.js";
export type { Person, TimelineEntry } from "./persons.js";
export type { SweepReport } from "./sweep.js";
export type { Widget } from "./widget-jwt.js";
