/** A global of pages and workers. The types of this layer include neither. */
declare const MessageEvent: new (type: string) => { readonly timeStamp: number };

/**
 * Returns the milliseconds since this page or worker started; they never go back. The border between page and host measures
 * elapsed time by this clock, because people set `Date` and tests replace it. Fake timers replace `performance.now()` too, so
 * the time comes from the time stamp of an event, which the browser makes. It is a `MessageEvent` because some pages replace
 * `Event`.
 */
export const monotonicNow = (): number => new MessageEvent("").timeStamp;
