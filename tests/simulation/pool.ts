/** Simulates many seeds on several threads, each the next seed that is left. */
import { Worker } from "node:worker_threads";
import type { SeedReport } from "./simulate.js";

/** A history that takes longer does not end. */
const SEED_LIMIT_MS = 120_000;

export interface PoolOptions {
  file: string;
  seeds: Iterable<number>;
  threads?: number;
  /** Answers whether that is enough. */
  onReport: (report: SeedReport) => boolean | void;
}

export const runSeeds = async ({ file, seeds, threads = 2, onReport }: PoolOptions): Promise<void> => {
  const left = seeds[Symbol.iterator]();
  let isEnough = false;
  const thread = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(file);
      let watchdog: NodeJS.Timeout | undefined;
      const end = (settle: () => void): void => {
        clearTimeout(watchdog);
        void worker.terminate().then(settle);
      };
      const next = (): void => {
        clearTimeout(watchdog);
        const seed = isEnough ? { done: true as const } : left.next();
        if (seed.done) return end(resolve);
        watchdog = setTimeout(
          () => end(() => reject(new Error(`seed ${seed.value} does not end`))),
          SEED_LIMIT_MS,
        );
        worker.postMessage(seed.value);
      };
      worker.on("message", (report: SeedReport) => {
        if (onReport(report)) isEnough = true;
        next();
      });
      worker.on("error", (error) => end(() => reject(error)));
      next();
    });
  await Promise.all(Array.from({ length: threads }, thread));
};

/** Adds up what runs counted. */
export const addCounts = (sum: Record<string, number>, counts: Record<string, number>): void => {
  for (const [kind, count] of Object.entries(counts)) sum[kind] = (sum[kind] ?? 0) + count;
};
