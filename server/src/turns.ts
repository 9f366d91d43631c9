import { Problem } from "./problem.js";

interface Line {
  count: number;
  last: Promise<unknown>;
}

/**
 * Requests of one profile work one after the other, and others beside them. In the database they would wait for each
 * other too, but each with a connection in its hands, until none is left for anyone else.
 *
 * @returns a function that receives at once and works in turn; a 429 where `atOnce` of the key are under way already
 */
export function inTurns(atOnce: number) {
  const lines = new Map<number, Line>();
  return async <Received, Result>(
    key: number,
    receive: () => Promise<Received>,
    work: (received: Received) => Promise<Result>,
  ): Promise<Result> => {
    const line = lines.get(key) ?? { count: 0, last: Promise.resolve() };
    if (line.count >= atOnce) throw new Problem(4290, "too many requests at once", { "Retry-After": "1" });
    lines.set(key, line);
    line.count++;
    try {
      // Before its turn: whoever sends slowly holds nobody up.
      const received = await receive();
      const turn = line.last.then(() => work(received));
      line.last = turn.catch(() => undefined);
      return await turn;
    } finally {
      if (--line.count === 0) lines.delete(key);
    }
  };
}
