import { RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";
import { MINUTE, SECOND } from "../../../src/protocol/wire.js";
import { Problem } from "./problem.js";

export type RateLimit = (key: string | number) => Promise<void>;

const perMinuteLimiter = (points: number) => new RateLimiterMemory({ points, duration: MINUTE / SECOND });

const consume = async (limiter: RateLimiterMemory, key: string | number, message: string): Promise<void> => {
  try {
    await limiter.consume(key);
  } catch (refused) {
    if (!(refused instanceof RateLimiterRes)) throw refused;
    throw new Problem(4290, message, {
      "Retry-After": String(Math.max(1, Math.ceil(refused.msBeforeNext / SECOND))),
    });
  }
};

/** Allows `perMinute` calls for each key, and throws a 429 with `Retry-After` beyond that. Each process counts separately. */
export function limitRate(perMinute: number): RateLimit {
  const limiter = perMinuteLimiter(perMinute);
  return (key) => consume(limiter, key, "too many requests");
}

/** Allows `perMinute` failed attempts for each key. Beyond that it throws a 429 with `Retry-After` without an attempt. */
export function limitFailures(perMinute: number, isFailure: (error: unknown) => boolean) {
  const limiter = perMinuteLimiter(perMinute);
  return async <Result>(key: string, attempt: () => Promise<Result>): Promise<Result> => {
    // Counted before the outcome is known, so that a thousand concurrent attempts cannot bypass the limit.
    await consume(limiter, key, "too many failed authentications from this address");
    try {
      const result = await attempt();
      await limiter.reward(key);
      return result;
    } catch (error) {
      if (!isFailure(error)) await limiter.reward(key);
      throw error;
    }
  };
}
