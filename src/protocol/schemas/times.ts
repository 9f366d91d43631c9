/** Times and dates of the wire protocol. */
import * as v from "valibot";

export const isRealDate = (date: string): boolean => {
  const time = Date.parse(`${date}T00:00:00.000Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(date);
};
const DATE_TIME = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?$/;
export const isDateTime = (value: string): boolean =>
  DATE_TIME.test(value) && !Number.isNaN(Date.parse(value)) && isRealDate(value.slice(0, 10));

const isItsOwnTime = (value: string): boolean => {
  const time = Date.parse(value);
  return !Number.isNaN(time) && new Date(time).toISOString() === value;
};

/** ISO 8601 UTC with milliseconds. */
export const instantSchema = v.pipe(
  v.string("must be a time"),
  v.regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/, "must be an ISO 8601 UTC time with milliseconds"),
  // One parse accepts nearly every time: it is as `toISOString()` writes it.
  v.check((value) => isItsOwnTime(value) || isDateTime(value), "must be a real time"),
);
