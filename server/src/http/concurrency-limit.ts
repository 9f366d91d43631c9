import { Problem } from "./problem.js";

/** Runs at most `max` pieces of work at once for each key, and throws a 429 beyond that. */
export function limitConcurrency(max: number) {
  const counts = new Map<number, number>();
  return async <Result>(key: number, work: () => Promise<Result>): Promise<Result> => {
    const count = counts.get(key) ?? 0;
    if (count >= max) throw new Problem(4290, "too many requests at once", { "Retry-After": "1" });
    counts.set(key, count + 1);
    try {
      return await work();
    } finally {
      const left = counts.get(key)! - 1;
      if (left) counts.set(key, left);
      else counts.delete(key);
    }
  };
}
