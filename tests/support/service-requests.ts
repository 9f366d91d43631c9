/** A request to the People service as it arrives, and what can go wrong with it when a test asks for that. */
import type { WireAnswer } from "../../src/core/ports.js";

export type Route = "registrations" | "batches" | "definitions";

export interface SeenRequest {
  at: number;
  host: string;
  route: Route;
  authorization: string;
  body: string;
  /** The operations' ids, in order. */
  ids: string[];
  compressed: boolean;
}

/** What happens to one request. */
export type Fault =
  /** Answered so, and nothing applied. */
  | { kind: "answer"; answer: WireAnswer }
  /** Nothing applied, no answer. */
  | { kind: "unreachable" }
  /** Applied, and the answer lost on its way. */
  | { kind: "lost" }
  /** Applied, and answered for the first few operations only. */
  | { kind: "half"; named: number }
  /** Applied, and no answer until the tracker gives up. */
  | { kind: "silent" }
  /** Applied and answered, after a while. */
  | { kind: "slow"; delayMs: number };

export const errorAnswer = (status: number, code = status, retryAfterMs?: number): WireAnswer => ({
  status,
  body: {
    error: { code, name: `Error${code}`, message: "no", origin: "people-service", platform: "test" },
  },
  ...(retryAfterMs !== undefined && { retryAfterMs }),
});
export const answering = (status: number, code?: number, retryAfterMs?: number) => ({
  kind: "answer" as const,
  answer: errorAnswer(status, code, retryAfterMs),
});
/** A captive portal's page. */
export const PORTAL: Fault = { kind: "answer", answer: { status: 200 } };
export const UNREACHABLE: Fault = { kind: "unreachable" };

/** The answer for a batch, cut off after so many results. */
export const halfOf = (answer: WireAnswer, named: number): WireAnswer => {
  const { results } = (answer.body ?? {}) as { results?: unknown[] };
  return results ? { ...answer, body: { results: results.slice(0, named) } } : answer;
};
