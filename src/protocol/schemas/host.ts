/** The arguments of calls from a page to its host. */
import * as v from "valibot";
import type { InspectQuery } from "../host.js";
import { object } from "./building-blocks.js";

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
