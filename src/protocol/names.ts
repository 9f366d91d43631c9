/** The names that all hosts and pages of a namespace share: of the database, channels, locks, journals and `sync` tags. */
const PREFIX = "people-tracking:";

export const sharedName = (namespace: string): string => PREFIX + namespace;

/** The namespace of a shared name; `null` if it is not one. */
export const namespaceOf = (name: string): string | null =>
  name.startsWith(PREFIX) ? name.slice(PREFIX.length) : null;
