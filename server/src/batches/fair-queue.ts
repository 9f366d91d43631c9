import { setImmediate } from "node:timers/promises";

interface Job {
  /** The virtual time at which it would finish if all flows were served at once. */
  finishTag: number;
  cost: number;
  start: () => Promise<void>;
}

/** The jobs of one key, in their order. */
interface Flow {
  queued: Job[];
  isRunning: boolean;
  lastFinishTag: number;
}

/**
 * Creates a fair queue (weighted fair queueing with equal weights): at most `concurrency` jobs run at once, and
 * of each key one at a time, in their order. Keys share by cost: of jobs of equal cost each key has one done in each
 * round, however many it has queued, and a small job does not wait for a round of large ones. The next job is the one with
 * the lowest finish tag among the keys that have none running.
 *
 * @returns a function that queues a job and settles as the job does
 */
export function createFairQueue(concurrency: number) {
  const flows = new Map<string | number, Flow>();
  let running = 0;
  /** The cost that each key with jobs has been served so far: the clock of the tags. */
  let virtualTime = 0;

  const isIdle = ({ queued, isRunning }: Flow): boolean => !queued.length && !isRunning;

  /** Finds the flow to serve next. Idle flows that have used no more than their share are deleted on the way. */
  const nextFlow = (): Flow | undefined => {
    let next: Flow | undefined;
    for (const [key, flow] of flows) {
      if (isIdle(flow) && flow.lastFinishTag <= virtualTime) flows.delete(key);
      const first = flow.queued[0];
      if (!flow.isRunning && first && (!next || first.finishTag < next.queued[0]!.finishTag)) next = flow;
    }
    return next;
  };

  const startNext = (): void => {
    while (running < concurrency) {
      const flow = nextFlow();
      if (!flow) return;
      const { cost, start } = flow.queued.shift()!;
      running++;
      flow.isRunning = true;
      void start().finally(() => {
        // While this job ran, each busy flow would have been served its share of the cost.
        virtualTime += cost / [...flows.values()].filter((other) => !isIdle(other)).length;
        running--;
        flow.isRunning = false;
        startNext();
        if (!running) {
          flows.clear();
          virtualTime = 0;
        }
      });
    }
  };

  return <Result>(key: string | number, cost: number, work: () => Promise<Result>): Promise<Result> =>
    new Promise((resolve, reject) => {
      const flow = flows.get(key) ?? { queued: [], isRunning: false, lastFinishTag: 0 };
      flows.set(key, flow);
      flow.lastFinishTag = Math.max(virtualTime, flow.lastFinishTag) + cost;
      flow.queued.push({
        finishTag: flow.lastFinishTag,
        cost,
        // PGlite runs in this thread and answers without returning to the event loop. Without this pause no socket would be
        // read until the queue is empty.
        start: () => setImmediate().then(work).then(resolve, reject),
      });
      startNext();
    });
}
