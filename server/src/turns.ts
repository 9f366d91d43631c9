/** Work that waits for its turn, and the length of all that its key has had done once it is done. */
interface Waiting {
  tag: number;
  start: () => Promise<void>;
}

interface Line {
  waiting: Waiting[];
  isAtWork: boolean;
  /** The tag of what came last. */
  lastTag: number;
}

/**
 * Gives turns to keys that want work done: at most `atWork` pieces at once, one at a time and in their order for each key,
 * and the keys share by cost. Those that wait go in the order of their tags: the tag of what a key did last, or of what is
 * being done now where that is more, and the cost on top. So equal pieces go round robin, however many of them a key
 * has waiting, and a small one is not kept waiting by the large ones of others. (Self-clocked fair queueing: Golestani,
 * INFOCOM 1994.)
 *
 * @returns what runs the work in turn and answers as it does
 */
export function fairTurns(atWork: number) {
  const lines = new Map<string | number, Line>();
  let working = 0;
  /** The tag of what was begun last. */
  let now = 0;

  /** The line whose first piece has the lowest tag, of those that are not at work. */
  const nextLine = (): [key: string | number, line: Line] | undefined => {
    let next: [string | number, Line] | undefined;
    for (const [key, line] of lines) {
      const first = line.waiting[0];
      if (!line.isAtWork && first && (!next || first.tag < next[1].waiting[0]!.tag)) next = [key, line];
    }
    return next;
  };

  const begin = (): void => {
    while (working < atWork) {
      const next = nextLine();
      if (!next) return;
      const [key, line] = next;
      const { tag, start } = line.waiting.shift()!;
      now = tag;
      working++;
      line.isAtWork = true;
      void start().finally(() => {
        working--;
        line.isAtWork = false;
        // Nothing is forgotten with it: the tag of its last piece is not above `now`.
        if (!line.waiting.length) lines.delete(key);
        begin();
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
        start: () => Promise.resolve().then(work).then(resolve, reject),
      });
      begin();
    });
}
