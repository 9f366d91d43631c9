/** What a part of the benchmark is: it measures, and says which bars its figures are held to. */

export type Unit = "ms" | "µs" | "s" | "bytes" | "MB" | "per second" | "count" | "%";

export interface Row {
  /** Who was measured: a tracker, a service, or a floor. */
  subject: string;
  /** Under what: "CPU throttled 4×", "1,000,000 waiting"; empty where there is but one. */
  setting: string;
  /** What was measured, one column of the table. */
  metric: string;
  unit: Unit;
  /** One a run; the report tells the median and the spread. */
  values: number[];
}

export interface Bar {
  /** As it is agreed: "one call, paced: p95 on the main thread ≤ 0.1 ms". */
  bar: string;
  measured: string;
  met: boolean;
}

export interface Chart {
  /** The picture's file name, without its ending. */
  name: string;
  title: string;
  metric: string;
  /** Rows of this setting alone; without it every setting has its own stroke. */
  setting?: string;
  /** For figures that lie orders of magnitude apart. */
  log?: boolean;
  /** A line that is not to be crossed. */
  limit?: number;
}

export interface Context {
  /** How often each figure is taken. Take turns: one of each subject, then the next run, so that noise hits all alike. */
  runs: number;
  /** Less of everything, for a first look. */
  quick: boolean;
  /** How long what grows slowly is watched. */
  minutes: number;
  /** How many steps there will be: told once, before the first. */
  steps: (total: number) => void;
  /** The next step begins. */
  step: (what: string) => void;
}

export interface Section {
  /** What `--only` calls it. */
  name: string;
  title: string;
  /** What a reader must know to judge the figures; Markdown. */
  notes?: string;
  charts?: Chart[];
  measure: (context: Context) => Promise<Row[]>;
  /** Judged again whenever the report is written, also from figures of an earlier run. */
  bars?: (rows: readonly Row[]) => Bar[];
}
