/** A section is a part of the benchmark: it takes measurements, and names the targets that its figures must meet. */

export type Unit = "ms" | "µs" | "s" | "bytes" | "MB" | "per second" | "count" | "%";

export interface Row {
  /** The subject that was measured: a tracker, a service, or a floor. */
  subject: string;
  /** The condition: "CPU throttled 4×", "1,000,000 waiting"; empty if there is only one. */
  setting: string;
  /** The figure that was measured: one column of the table. */
  metric: string;
  unit: Unit;
  /** One value for each run; the report shows the median and the spread. */
  values: number[];
}

export interface Bar {
  /** The condition in words: "one call, paced: p95 on the main thread ≤ 0.1 ms". */
  bar: string;
  measured: string;
  met: boolean;
}

export interface Chart {
  /** The picture's file name, without its ending. */
  name: string;
  title: string;
  metric: string;
  /** Shows the rows of this setting only; without it, each setting has a stroke of its own. */
  setting?: string;
  /** A logarithmic scale, for figures that are orders of magnitude apart. */
  log?: boolean;
  /** Draws the target as a line. */
  limit?: number;
}

export interface Context {
  /** How often to take each figure. Take turns: measure each subject once, then begin the next run, so that noise affects all alike. */
  runs: number;
  /** Measures less of everything, for a first look. */
  quick: boolean;
  /** How long what grows slowly is watched. */
  minutes: number;
  /** How many steps there will be: told once, before the first. */
  steps: (total: number) => void;
  /** Announces that the next step begins. */
  step: (what: string) => void;
}

export interface Section {
  /** The section's name in `--only`. */
  name: string;
  title: string;
  /** What a reader must know to judge the figures, as Markdown. */
  notes?: string;
  charts?: Chart[];
  measure: (context: Context) => Promise<Row[]>;
  /** Evaluates the targets whenever the report is written, also for figures of an earlier run. */
  bars?: (rows: readonly Row[]) => Bar[];
}
