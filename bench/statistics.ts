import type { Row } from "./section.js";

/** Interpolates linearly between neighbours, as spreadsheets do. */
export const quantile = (values: readonly number[], share: number): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const below = sorted[Math.floor(place)] ?? NaN;
  const above = sorted[Math.ceil(place)] ?? NaN;
  return below + (above - below) * (place - Math.floor(place));
};

export const median = (values: readonly number[]): number => quantile(values, 0.5);

export interface Which {
  subject?: string;
  setting?: string;
  metric: string;
}

export const rowsOf = (rows: readonly Row[], { subject, setting, metric }: Which): Row[] =>
  rows.filter(
    (row) =>
      row.metric === metric &&
      (subject === undefined || row.subject === subject) &&
      (setting === undefined || row.setting === setting),
  );

/** The median of one figure; NaN if it was not measured. */
export const figure = (rows: readonly Row[], which: Which): number =>
  median(rowsOf(rows, which)[0]?.values ?? []);
