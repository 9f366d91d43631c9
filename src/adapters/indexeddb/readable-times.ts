/**
 * Instants are numbers in the core and ISO times in IndexedDB, where people read them: every field whose name ends in
 * `At` holds one, at any depth.
 */
type Plain = string | number | boolean | null | undefined | Plain[] | { [key: string]: Plain };

const mapInstants = (value: Plain, map: (instant: Plain) => Plain): Plain => {
  if (Array.isArray(value)) return value.map((item) => mapInstants(item, map));
  if (value === null || typeof value !== "object") return value;
  const mapped: { [key: string]: Plain } = {};
  for (const [key, field] of Object.entries(value)) {
    mapped[key] = key.endsWith("At") ? map(field) : mapInstants(field, map);
  }
  return mapped;
};

/** For IndexedDB. */
export const withReadableTimes = (value: object): object =>
  mapInstants(value as Plain, (instant) =>
    typeof instant === "number" ? new Date(instant).toISOString() : instant,
  ) as object;

/** Back from IndexedDB. */
export const withInstants = <Value extends object>(stored: object): Value =>
  mapInstants(stored as Plain, (time) => (typeof time === "string" ? Date.parse(time) : time)) as Value;
