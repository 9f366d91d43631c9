import { Client } from "pg";
import { vi } from "vitest";

/** Runs work right before the next batch of events is written, and resolves with its result. PostgreSQL only. */
export function beforeNextWrite<Result>(work: () => Promise<Result>): Promise<Result> {
  const original = Reflect.get(Client.prototype, "query") as (...given: unknown[]) => unknown;
  return new Promise((resolve) => {
    const spy = vi.spyOn(Client.prototype, "query").mockImplementation(function (
      this: Client,
      ...given: unknown[]
    ) {
      if ((given[0] as { name?: string }).name !== "insert_batch") return original.apply(this, given);
      spy.mockRestore();
      const done = work();
      resolve(done);
      const write = () => original.apply(this, given);
      // The batch is written even if the work fails. The caller gets that failure.
      return done.then(write, write);
    });
  });
}
