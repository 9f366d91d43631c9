import type { TrackingError } from "./api.js";

type Texts = Record<number, readonly [name: string, message: string]>;

/** The specification's errors, letter for letter, then the tracker's own that arise in pages. `…` stands for the cause. */
export const ERRORS = {
  4001: ["InitRequiredError", "Live Chat is not initialized"],
  2015: ["NotInitializedPeopleTrackingError", "People tracking SDK is not initialized. Call init() first"],
  2016: ["SdkTrackError", "Error when calling track(). Cause: …"],
  2017: ["PeopleUpdateError", "Error when calling updatePerson(). Cause: …"],
  2019: ["AppendToListError", "Error when calling appendToList(). Cause: …"],
  2100: ["UnsupportedEnvironmentError", "People tracking needs a browser: …"],
  2101: ["NoAnswerError", "No answer in time: …"],
  2102: ["InvalidArgumentError", "…"],
} as const satisfies Texts;

export type ErrorOrigin = "fe-snippet" | "worker" | "people-service";

export const errorsOf =
  <Known extends Texts>(texts: Known) =>
  (code: keyof Known & number, origin: ErrorOrigin, cause = ""): TrackingError => {
    const [name, message] = texts[code]!;
    return { code, name, message: message.replace("…", () => cause), origin, platform: "fe-snippet" };
  };
