import type { ErrorBody } from "../../../src/protocol/wire.js";

/** Status and name of every error response, by the code in its body. The wire protocol defines 4031 and 4032. */
const PROBLEMS = {
  4000: [400, "BadRequestError"],
  4010: [401, "UnauthorizedError"],
  4031: [403, "TrackingKeyScopeError"],
  4032: [403, "LiveChatTokenError"],
  4033: [403, "MissingScopeError"],
  4040: [404, "NotFoundError"],
  4130: [413, "TooLargeError"],
  4150: [415, "UnsupportedEncodingError"],
  4290: [429, "TooManyRequestsError"],
  5000: [500, "InternalError"],
  5030: [503, "UnavailableError"],
  5031: [503, "OverloadedError"],
} as const;
type ProblemCode = keyof typeof PROBLEMS;

/** A database is seldom back sooner, and all refused browsers retry at about the same time. */
const RETRY_AFTER_S = "5";

const MESSAGE_LENGTH = 500;

/** Shortens a message for a response. Messages quote input, which may be long and may contain unpaired surrogates. */
export const cutMessage = (message: string): string => message.slice(0, MESSAGE_LENGTH).toWellFormed();

/** An error response. It is thrown anywhere below a route, and the application's error handler sends it. */
export class Problem extends Error {
  readonly status;
  readonly headers: Readonly<Record<string, string>>;
  constructor(
    readonly code: ProblemCode,
    message: string,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(cutMessage(message));
    this.headers = code === 5030 ? { "Retry-After": RETRY_AFTER_S, ...headers } : headers;
    this.name = PROBLEMS[code][1];
    this.status = PROBLEMS[code][0];
  }

  get body(): ErrorBody {
    return {
      error: {
        code: this.code,
        name: this.name,
        message: this.message,
        origin: "people-service",
        platform: "people-service",
      },
    };
  }
}
