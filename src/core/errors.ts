import { ERRORS, errorsOf } from "../protocol/errors.js";

/** The cause of errors that calls return while the user has opted out. */
export const OPTED_OUT_CAUSE = "tracking is opted out";

export const trackingError = errorsOf({
  ...ERRORS,
  2018: ["MissingAuthorizationTokenError", "Missing authorization token. Make sure a registration exists."],
  2103: ["StorageError", "The browser's storage failed: …"],
} as const);
