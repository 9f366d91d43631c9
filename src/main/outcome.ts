import type { Outcome } from "../protocol/api.js";
import { trackingError } from "../protocol/errors.js";
import type { ErrorCode } from "../protocol/errors.js";

export type Failure = Extract<Outcome, { success: false }>;

export const succeed = (): Outcome => ({ success: true, data: null });

export const fail = (code: ErrorCode, cause?: string): Failure => ({
  success: false,
  error: trackingError(code, "fe-snippet", cause),
});

/** What was thrown, in words: anything can be. */
export const describe = (thrown: unknown): string => {
  try {
    return String((thrown as Error | undefined)?.message ?? thrown);
  } catch {
    return "something that has no message";
  }
};
