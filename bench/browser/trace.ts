/** Reads Chromium's trace: what each thread did between the marks that a page set. Times are in milliseconds. */

interface TraceEvent {
  name: string;
  ph: string;
  pid: number;
  tid: number;
  /** Wall clock and the thread's CPU clock, in microseconds. */
  ts: number;
  tts?: number;
  dur?: number;
  tdur?: number;
  args?: { name?: string };
}

export interface Mark {
  at: number;
  /** The thread's CPU clock then. */
  cpuAt: number;
  pid: number;
  tid: number;
}

export interface Span {
  from: number;
  to: number;
  /** CPU that the thread used in it, and its CPU clock at the beginning. */
  cpu: number;
  cpuFrom: number;
}

/** Outermost spans only: a task that runs a nested loop contains others. */
const outermost = (events: readonly TraceEvent[]): Span[] => {
  const spans: Span[] = [];
  let end = -Infinity;
  for (const { ts, tts = 0, dur = 0, tdur = 0 } of events.toSorted((a, b) => a.ts - b.ts)) {
    if (ts < end) continue;
    end = ts + dur;
    spans.push({ from: ts / 1_000, to: end / 1_000, cpu: tdur / 1_000, cpuFrom: tts / 1_000 });
  }
  return spans;
};

export class Trace {
  readonly #events: readonly TraceEvent[];

  readonly #end: number;

  constructor(events: readonly TraceEvent[]) {
    this.#events = events;
    this.#end = events.reduce((end, { ts, dur = 0 }) => Math.max(end, ts + dur), 0);
  }

  /** Every time a page set it. */
  marks(name: string): Mark[] {
    return this.#events
      .filter((event) => event.name === `bench:${name}`)
      .map(({ ts, tts = 0, pid, tid }) => ({ at: ts / 1_000, cpuAt: tts / 1_000, pid, tid }))
      .toSorted((a, b) => a.at - b.at);
  }

  /** @throws an Error if the page never set the mark */
  mark(name: string): Mark {
    const [mark] = this.marks(name);
    if (!mark) throw new Error(`The trace has no mark ${name}`);
    return mark;
  }

  /** What a mark's thread did, one span a task. */
  tasks({ pid, tid }: Pick<Mark, "pid" | "tid">): Span[] {
    const own = this.#events.filter(
      (event) => event.pid === pid && event.tid === tid && event.name === "ThreadControllerImpl::RunTask",
    );
    // A task that had no end when the trace ended has a beginning only.
    return outermost(
      own.map((event) => (event.ph === "B" ? { ...event, dur: this.#end - event.ts } : event)),
    );
  }

  /** When the page set its end mark, or the end of the trace if the page had no time to set it. */
  endOf(mark: string): number {
    return this.marks(mark)[0]?.at ?? this.#end / 1_000;
  }

  /** Threads whose name contains this. */
  threads(name: string): { pid: number; tid: number }[] {
    const found = this.#events.filter(
      (event) => event.name === "thread_name" && event.args?.name?.includes(name),
    );
    return [...new Map(found.map(({ pid, tid }) => [`${pid}/${tid}`, { pid, tid }])).values()];
  }

  /** Counts how often an event of this name began on a thread. */
  count(name: string, { pid, tid }: Pick<Mark, "pid" | "tid">, from = -Infinity, to = Infinity): number {
    return this.#events.filter(
      (event) =>
        event.name === name &&
        event.pid === pid &&
        event.tid === tid &&
        event.ts / 1_000 >= from &&
        event.ts / 1_000 <= to,
    ).length;
  }

  /** From a mark to the end of the task that set it: the rest of the task and its microtasks. */
  restOfTask(mark: Mark, tasks = this.tasks(mark)): { took: number; cpu: number } {
    const task = tasks.find(({ from, to }) => from <= mark.at && mark.at <= to);
    if (!task) return { took: Number.NaN, cpu: Number.NaN };
    return { took: task.to - mark.at, cpu: task.cpuFrom + task.cpu - mark.cpuAt };
  }
}

/** Returns the parts of the spans that lie between two times. */
export const within = (spans: readonly Span[], from: number, to: number): Span[] =>
  spans.flatMap((span) => {
    const start = Math.max(span.from, from);
    const end = Math.min(span.to, to);
    if (end <= start) return [];
    const share = (end - start) / (span.to - span.from);
    return [{ from: start, to: end, cpu: span.cpu * share, cpuFrom: span.cpuFrom }];
  });

export const busy = (spans: readonly Span[]): number =>
  spans.reduce((sum, { from, to }) => sum + to - from, 0);
export const cpuOf = (spans: readonly Span[]): number => spans.reduce((sum, { cpu }) => sum + cpu, 0);
export const longest = (spans: readonly Span[]): number =>
  Math.max(0, ...spans.map(({ from, to }) => to - from));

export const readTrace = (buffer: Buffer): Trace =>
  new Trace((JSON.parse(buffer.toString()) as { traceEvents: TraceEvent[] }).traceEvents);
