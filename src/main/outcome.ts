import type { Outcome } from "../protocol/api.js";
import { ERRORS, errorsOf } from "../protocol/errors.js";

export type Failure = Extract<Outcome, { success: false }>;

export const SUCCESS: Outcome = { success: true, data: null };

export type ErrorCode = keyof typeof ERRORS;

const pageError = errorsOf(ERRORS);

export const fail = (code: ErrorCode, cause?: string): Failure => ({
  success: false,
  error: pageError(code, "fe-snippet", cause),
});

/** The message of what was thrown, which can be anything. */
export const describe = (thrown: unknown): string => {
  try {
    return String((thrown as Error | undefined)?.message ?? thrown);
  } catch {
    return "unknown";
  }
};

/** Refuses an argument: the call's outcome has this as its cause. */
export const check = (isGood: boolean, problem: string): void => {
  if (!isGood) throw new TypeError(problem);
};
