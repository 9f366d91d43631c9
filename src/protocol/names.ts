/** Names that all hosts and pages of one namespace share: of the database, of channels, locks and journals, of `sync` tags. */
const PREFIX = "people-tracking:";

export const sharedName = (namespace: string): string => PREFIX + namespace;

/** The namespace of a shared name; `null` where the name is not one of ours. */
export const namespaceOf = (name: string): string | null =>
  name.startsWith(PREFIX) ? name.slice(PREFIX.length) : null;
