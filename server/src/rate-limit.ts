import { RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";
import { MINUTE, SECOND } from "../../src/protocol/wire.js";
import { Problem } from "./problem.js";

export type RateLimit = (key: string | number) => Promise<void>;

/** At most so many calls a minute for each key; a 429 with `Retry-After` beyond. Each process counts for itself. */
export function limitRate(perMinute: number): RateLimit {
  const limiter = new RateLimiterMemory({ points: perMinute, duration: MINUTE / SECOND });
  return async (key) => {
    try {
      await limiter.consume(key);
    } catch (refused) {
      if (!(refused instanceof RateLimiterRes)) throw refused;
      throw new Problem(4290, "too many requests", {
        "Retry-After": String(Math.max(1, Math.ceil(refused.msBeforeNext / SECOND))),
      });
    }
  };
}
