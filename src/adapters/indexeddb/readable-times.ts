/**
 * Converts instants, which are numbers in the core, to the ISO times that people read in IndexedDB, and back. Every field whose
 * name ends in `At` holds an instant, at any depth.
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

/** Converts for IndexedDB. */
export const withReadableTimes = (value: object): object =>
  mapInstants(value as Plain, (instant) =>
    typeof instant === "number" ? new Date(instant).toISOString() : instant,
  ) as object;

/** Converts back from IndexedDB. */
export const withInstants = <Value extends object>(stored: object): Value =>
  mapInstants(stored as Plain, (time) => (typeof time === "string" ? Date.parse(time) : time)) as Value;
