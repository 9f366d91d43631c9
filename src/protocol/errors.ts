import type { TrackingError } from "./api.js";

/** The specification's errors, letter for letter, then the tracker's own. `…` stands for the cause. */
const ERRORS = {
  4001: ["InitRequiredError", "Live Chat is not initialized"],
  2015: ["NotInitializedPeopleTrackingError", "People tracking SDK is not initialized. Call init() first"],
  2016: ["SdkTrackError", "Error when calling track(). Cause: …"],
  2017: ["PeopleUpdateError", "Error when calling updatePerson(). Cause: …"],
  2018: ["MissingAuthorizationTokenError", "Missing authorization token. Make sure a registration exists."],
  2019: ["AppendToListError", "Error when calling appendToList(). Cause: …"],
  2100: ["UnsupportedEnvironmentError", "People tracking needs a browser: …"],
  2101: ["NoAnswerError", "No answer in time: …"],
  2102: ["InvalidArgumentError", "…"],
  2103: ["StorageError", "The browser's storage failed: …"],
} as const;

export type ErrorCode = keyof typeof ERRORS;
export type ErrorOrigin = "fe-snippet" | "worker" | "people-service";

/** The cause that calls answer while the user has opted out. */
export const OPTED_OUT_CAUSE = "tracking is opted out";

export const trackingError = (code: ErrorCode, origin: ErrorOrigin, cause = ""): TrackingError => ({
  code,
  name: ERRORS[code][0],
  message: ERRORS[code][1].replace("…", () => cause),
  origin,
  platform: "fe-snippet",
});
