import { setImmediate } from "node:timers/promises";

/** Work that waits for its turn. */
interface Waiting {
  tag: number;
  cost: number;
  start: () => Promise<void>;
}

interface Line {
  waiting: Waiting[];
  isAtWork: boolean;
  /** The tag of what came last. */
  lastTag: number;
}

/**
 * Gives turns to keys that want work done: at most `atWork` pieces at once, and of each key one at a time, in their order.
 * The keys share by cost (weighted fair queueing, with equal weights): of equal pieces each key has one done in each
 * round, however many it has waiting, and a small piece does not wait for a round of large ones. What waits goes in the
 * order of its tags, the moments at which it would be done if all keys were served at once, each at its share.
 *
 * @returns what runs the work in turn and answers as it does
 */
export function fairTurns(atWork: number) {
  const lines = new Map<string | number, Line>();
  let working = 0;
  /** What each key that was there all the time has had so far: the clock of the tags. */
  let now = 0;

  const isIdle = ({ waiting, isAtWork }: Line): boolean => !waiting.length && !isAtWork;

  /** The line whose first piece has the lowest tag, of those that are not at work. Lines that owe nothing are forgotten. */
  const nextLine = (): Line | undefined => {
    let next: Line | undefined;
    for (const [key, line] of lines) {
      if (isIdle(line) && line.lastTag <= now) lines.delete(key);
      const first = line.waiting[0];
      if (!line.isAtWork && first && (!next || first.tag < next.waiting[0]!.tag)) next = line;
    }
    return next;
  };

  const begin = (): void => {
    while (working < atWork) {
      const line = nextLine();
      if (!line) return;
      const { cost, start } = line.waiting.shift()!;
      working++;
      line.isAtWork = true;
      void start().finally(() => {
        // In the time of this piece each of them would have had its share.
        now += cost / [...lines.values()].filter((other) => !isIdle(other)).length;
        working--;
        line.isAtWork = false;
        begin();
        if (!working) {
          lines.clear();
          now = 0;
        }
      });
    }
  };

  return <Result>(key: string | number, cost: number, work: () => Promise<Result>): Promise<Result> =>
    new Promise((resolve, reject) => {
      const line = lines.get(key) ?? { waiting: [], isAtWork: false, lastTag: 0 };
      lines.set(key, line);
      line.lastTag = Math.max(now, line.lastTag) + cost;
      line.waiting.push({
        tag: line.lastTag,
        cost,
        // PGlite works in this thread and answers without a pause in which a socket would be looked at: without one here,
        // nobody who came meanwhile would be heard before all that waits is done.
        start: () => setImmediate().then(work).then(resolve, reject),
      });
      begin();
    });
}
