/** Pages and workers have it; the protocol's layer knows neither. */
declare const MessageEvent: new (type: string) => { readonly timeStamp: number };

/**
 * Milliseconds since some moment of this page's or worker's start; they never go back. The border between page and host
 * measures what has passed by this clock, not by `Date`, which people set and tests replace. Read from an event's time
 * stamp, which the browser itself makes: fake timers replace `performance.now()` too. Of a `MessageEvent`, for pages have
 * an `Event` of their own.
 */
export const monotonicNow = (): number => new MessageEvent("").timeStamp;
