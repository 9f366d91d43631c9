import type { Row, Unit } from "../section.js";
import { median } from "../statistics.js";

const grouped = (value: number, digits: number): string =>
  value.toLocaleString("en", { maximumFractionDigits: digits });

/** Three figures are what such measurements bear. */
export const readable = (value: number, unit: Unit): string => {
  if (!Number.isFinite(value)) return "–";
  if (unit === "bytes") return value < 1_000 ? `${grouped(value, 0)} B` : `${threeFigures(value / 1_000)} KB`;
  if (unit === "per second") return `${threeFigures(value)}/s`;
  if (unit === "count") return grouped(value, value < 100 ? 1 : 0);
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
  return `${middle} (${least.replace(/ ?[^\d.,]+$/, "")}–${most.replace(/ ?[^\d.,]+$/, "")})`;
};
