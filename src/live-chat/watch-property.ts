/**
 * Watching what a widget and its site do with an object that they share: none of it is replaced, all of it still happens.
 * A function stays the object that it was, with its fields (widgets keep their queues in them): a proxy stands before it.
 */

type Fields = Record<string, unknown>;
type Call = readonly unknown[];

/** Sees the value that a property has and each value that it is given later, and answers the one that others shall read. */
export const watchProperty = (target: object, name: string, see: (value: unknown) => unknown): void => {
  let value = see((target as Fields)[name]);
  // Configurable, because scripts may declare a global of this name.
  Object.defineProperty(target, name, {
    configurable: true,
    enumerable: true,
    get: () => value,
    set(given: unknown) {
      value = see(given);
    },
  });
};

/** Sees each call before it is made, and answers the arguments with which it is. What is no function stays as it is. */
export const watchCalls = (value: unknown, see: (call: Call) => Call): unknown =>
  typeof value === "function"
    ? new Proxy(value, {
        apply: (target, self, call: Call) => Reflect.apply(target, self, see(call)) as unknown,
      })
    : value;

/** A callback that does both: ours, and the site's if there is one. */
export const chain = (ours: (...call: unknown[]) => void, theirs: unknown) =>
  function (this: unknown, ...call: unknown[]): unknown {
    ours(...call);
    return typeof theirs === "function" ? (Reflect.apply(theirs, this, call) as unknown) : undefined;
  };

/** The calls that a stub has queued while its script loads; `null` if this is not a stub. */
export const queueOf = (value: unknown): Call[] | null => {
  if (typeof value !== "function") return null;
  const { q } = value as { q?: unknown };
  return Array.isArray(q) ? (q as Call[]) : null;
};

/** The same for the calls that wait in a stub's queue. */
export const watchQueue = (queue: Call[], see: (call: Call) => Call): void => {
  for (const [index, call] of queue.entries()) queue[index] = see([...call]);
};
