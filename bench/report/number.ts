import type { Row, Unit } from "../section.js";
import { median } from "../statistics.js";

const grouped = (value: number, digits: number): string =>
  value.toLocaleString("en", { maximumFractionDigits: digits });

/** Formats a value with three significant figures, which is as precise as such measurements are. */
export const readable = (value: number, unit: Unit): string => {
  if (!Number.isFinite(value)) return "–";
  if (unit === "bytes") return value < 1_000 ? `${grouped(value, 0)} B` : `${threeFigures(value / 1_000)} KB`;
  if (unit === "per second") return `${threeFigures(value)}/s`;
  if (unit === "count") return grouped(value, value < 100 ? 1 : 0);
  if (unit === "ms" && Math.abs(value) >= 10_000) return `${threeFigures(value / 1_000)} s`;
  return `${threeFigures(value)} ${unit}`;
};

const threeFigures = (value: number): string => {
  const size = Math.abs(value);
  if (size >= 1_000) return grouped(Number(value.toPrecision(3)), 0);
  return grouped(value, size >= 100 ? 0 : size >= 10 ? 1 : 2);
};

/** The median and, where it was taken more than once, the lowest and the highest. */
export const withSpread = ({ values, unit }: Row): string => {
  const middle = readable(median(values), unit);
  const least = readable(Math.min(...values), unit);
  const most = readable(Math.max(...values), unit);
  if (values.length < 2 || least === most) return middle;
  const sameUnit = unitOf(least) === unitOf(middle) && unitOf(most) === unitOf(middle);
  const bare = (text: string): string => (sameUnit ? text.slice(0, text.length - unitOf(text).length) : text);
  return `${middle} (${bare(least)}–${bare(most)})`;
};

const unitOf = (text: string): string => / ?[^\d.,]*$/.exec(text)?.[0] ?? "";
