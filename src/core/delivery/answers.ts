/** Interprets the service's answers by the table of the wire protocol. Pure. */
import type { TrackingError } from "../../protocol/api.js";
import { parsed } from "../../protocol/schemas/parse.js";
import { batchAnswerSchema, errorBodySchema } from "../../protocol/schemas/responses.js";
import type { OperationResult } from "../../protocol/wire.js";
import { trackingError } from "../errors.js";
import type { WireAnswer } from "../ports.js";

/** The key's scopes are not exactly the tracking scope. */
const WRONG_SCOPES = 4031;

export type Verdict =
  /** The results of those operations that the answer names. */
  | { kind: "settled"; results: ReadonlyMap<string, OperationResult> }
  /** Something in the batch is refused. */
  | { kind: "refused"; error: TrackingError }
  | { kind: "unauthorized"; error: TrackingError }
  | { kind: "forbidden"; scope: "key" | "profile"; error: TrackingError }
  | { kind: "failed"; error: TrackingError }
  /** An opt-out, an erase or the host's end cut the request off: it says nothing of the service. */
  | { kind: "cutOff" };

/** An error as the service gave it, told to the page. */
export const serviceError = (error: { code: number; name: string; message: string }): TrackingError => ({
  code: error.code,
  name: error.name,
  message: error.message,
  origin: "people-service",
  platform: "fe-snippet",
});

const bodyError = (answer: WireAnswer): TrackingError | null => {
  const body = parsed(errorBodySchema, answer.body);
  return body && serviceError(body.error);
};

/** What every answer but a good one means, whichever route it came from. */
export const failureOf = (answer: WireAnswer): Exclude<Verdict, { kind: "settled" | "refused" }> => {
  if (answer.cutOff) return { kind: "cutOff" };
  const error = bodyError(answer);
  if (answer.status === 401) {
    return { kind: "unauthorized", error: trackingError(2018, "people-service") };
  }
  if (answer.status === 403) {
    return {
      kind: "forbidden",
      scope: error?.code === WRONG_SCOPES ? "key" : "profile",
      error: error ?? trackingError(2018, "people-service"),
    };
  }
  const cause =
    answer.status === 0
      ? "the service could not be reached"
      : `the service answered ${answer.status} with something else than expected`;
  return { kind: "failed", error: error ?? trackingError(2101, "worker", cause) };
};

/** What a failed registration means: besides the rest, the service may refuse to register this very profile. */
export const registrationFailureOf = (
  answer: WireAnswer,
): ReturnType<typeof failureOf> | { kind: "unregistered"; error: TrackingError } => {
  const error = answer.status === 400 || answer.status === 404 ? bodyError(answer) : null;
  return error ? { kind: "unregistered", error } : failureOf(answer);
};

export const batchVerdict = (answer: WireAnswer): Verdict => {
  if (answer.status === 200) {
    const body = parsed(batchAnswerSchema, answer.body);
    if (body) return { kind: "settled", results: new Map(body.results.map((result) => [result.id, result])) };
  }
  if (answer.status === 400 || answer.status === 413) {
    const error = bodyError(answer);
    if (error) return { kind: "refused", error };
  }
  return failureOf(answer);
};
