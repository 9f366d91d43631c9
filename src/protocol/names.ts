/** The names that all hosts and pages of a namespace share: of the database, channels, locks, journals and `sync` tags. */
const PREFIX = "people-tracking:";

export const sharedName = (namespace: string): string => PREFIX + namespace;

/** The namespace of a shared name; `null` if it is not one. */
export const namespaceOf = (name: string): string | null =>
  name.startsWith(PREFIX) ? name.slice(PREFIX.length) : null;

/**
 * The shared name in that of a worker, which goes on with the protocol's version and a number; `null` where the worker's
 * name is not one of ours.
 */
export const sharedNameOfWorker = (workerName: string): string | null =>
  /^(people-tracking:.+):v\d+:\d+$/.exec(workerName)?.[1] ?? null;
