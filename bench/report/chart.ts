/**
 * Draws a chart of horizontal strokes as a self-contained SVG that is readable in light and in dark mode: our tracker in
 * colour, the peers in grey, floors hollow. A thin line across the end of a stroke shows the span of the runs.
 */
import type { Chart, Row } from "../section.js";
import { median, rowsOf } from "../statistics.js";
import { readable } from "./number.js";
import { linearScale, logScale } from "./scale.js";

const WIDTH = 760;
const MARGIN = { top: 56, right: 92, bottom: 34 };
/** The approximate width of a bold letter in a label. */
const LETTER = 7.6;
const STROKE = 16;
const GAP = 4;
const GROUP_GAP = 10;

const STYLE = `
  text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328;
    /* Keeps the lines of the grid out of the letters. */
    paint-order: stroke; stroke: #fff; stroke-width: 4px; stroke-linejoin: round }
  .title { font-size: 15px; font-weight: 600 }
  .quiet { font-size: 12px; fill: #59636e }
  .ours { font-weight: 600 }
  .card { fill: #fff; stroke: #d1d9e0 }
  .grid { stroke: #d1d9e0 }
  .peer { fill: #8c959f }
  .floor { fill: none; stroke: #59636e; stroke-dasharray: 3 2 }
  rect.ours { fill: #0969da }
  .span { stroke: #1f2328 }
  .limit { stroke: #bc4c00; stroke-width: 1.5; stroke-dasharray: 5 3 }
  text.limit { fill: #bc4c00; stroke: #fff; stroke-width: 4px; stroke-dasharray: none; font-size: 12px }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; stroke: #0d1117 }
    .quiet { fill: #9198a1 }
    .card { fill: #0d1117; stroke: #3d444d }
    .grid { stroke: #3d444d }
    .peer { fill: #656c76 }
    .floor { stroke: #9198a1 }
    rect.ours { fill: #4493f8 }
    .span { stroke: #f0f6fc }
    .limit { stroke: #f0883e }
    text.limit { fill: #f0883e; stroke: #0d1117 }
  }`;

export const drawChart = (chart: Chart, rows: readonly Row[]): string => {
  const shown = rowsOf(rows, chart).filter(({ values }) => Number.isFinite(median(values)));
  const settings = [...new Set(shown.map(({ setting }) => setting))];
  const groups = grouped(shown, settings);
  const unit = shown[0]?.unit ?? "count";
  const all = [...shown.flatMap(({ values }) => values), ...(chart.limit === undefined ? [] : [chart.limit])];
  const left = Math.max(120, 26 + LETTER * Math.max(...shown.map(({ subject }) => subject.length)));
  const scale = (chart.log ? logScale : linearScale)(all, left, WIDTH - MARGIN.right);

  const names = legend(settings, left);
  const top = MARGIN.top + 20 * names.lines;
  const bottom = top + groups.reduce((sum, group) => sum + groupHeight(group), 0);
  const parts: string[] = [];

  for (const tick of scale.ticks) {
    const x = scale.at(tick);
    parts.push(`<line class="grid" x1="${x}" x2="${x}" y1="${top - 4}" y2="${bottom}"/>`);
    parts.push(text(x, bottom + 18, readable(tick, unit), "quiet", "middle"));
  }

  let y = top;
  for (const group of groups) {
    const [first] = group;
    if (!first) continue;
    const ours = isOurs(first);
    const middle = y + (groupHeight(group) - GROUP_GAP) / 2;
    parts.push(text(left - 10, middle + 4.5, first.subject, ours ? "ours" : "", "end"));
    for (const row of group) {
      parts.push(...stroke(row, left, y, settings.indexOf(row.setting), scale));
      y += STROKE + GAP;
    }
    y += GROUP_GAP - GAP;
  }

  if (chart.limit !== undefined) {
    const x = scale.at(chart.limit);
    parts.push(`<line class="limit" x1="${x}" x2="${x}" y1="${top - 6}" y2="${bottom}"/>`);
    parts.push(text(x + 4, top - 10, `target: ${readable(chart.limit, unit)}`, "limit", "start"));
  }

  const height = bottom + MARGIN.bottom;
  const scaleNote = chart.log ? "logarithmic scale" : "";
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escaped(chart.title)}">
<style>${STYLE}
</style>
<rect class="card" x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="8"/>
${text(16, 26, chart.title, "title", "start")}
${text(WIDTH - 16, 26, scaleNote, "quiet", "end")}
${names.drawn}
${parts.join("\n")}
</svg>
`;
};

const groupHeight = (group: Row[]): number => group.length * (STROKE + GAP) - GAP + GROUP_GAP;
const sizeOf = ([row]: Row[]): number => (row ? median(row.values) : 0);
const isOurs = ({ subject }: Row): boolean => subject.startsWith("people-tracking-sdk");
const isFloor = ({ subject }: Row): boolean => subject.startsWith("floor");

/** The rows of a subject together, the smallest first. */
const grouped = (rows: readonly Row[], settings: readonly string[]): Row[][] => {
  const subjects = [...new Set(rows.map(({ subject }) => subject))];
  return subjects
    .map((name) => rows.filter(({ subject }) => subject === name))
    .map((group) => group.toSorted((a, b) => settings.indexOf(a.setting) - settings.indexOf(b.setting)))
    .toSorted((a, b) => sizeOf(a) - sizeOf(b));
};

/** The settings in their order, each fainter than the one before. */
const opacityOf = (setting: number): number => [1, 0.7, 0.5, 0.4][setting] ?? 0.3;

const stroke = (
  row: Row,
  left: number,
  y: number,
  series: number,
  scale: { at(value: number): number },
): string[] => {
  const value = median(row.values);
  const end = scale.at(value);
  const kind = isOurs(row) ? "ours" : isFloor(row) ? "floor" : "peer";
  const least = scale.at(Math.min(...row.values));
  const most = scale.at(Math.max(...row.values));
  const middle = y + STROKE / 2;
  const width = Math.max(2, end - left);
  return [
    `<rect class="${kind}" opacity="${opacityOf(series)}" x="${left}" y="${y}" width="${width}" height="${STROKE}" rx="2"/>`,
    most - least > 1 ? `<line class="span" x1="${least}" x2="${most}" y1="${middle}" y2="${middle}"/>` : "",
    text(Math.max(end, most) + 6, y + 12.5, readable(value, row.unit), isOurs(row) ? "ours" : "", "start"),
  ];
};

/** Each setting as wide as its name, in as many lines as that takes; none where there is but one. */
const legend = (settings: readonly string[], left: number): { lines: number; drawn: string } => {
  if (settings.length < 2) return { lines: 0, drawn: "" };
  let [x, line] = [left, 0];
  const drawn = settings.map((setting, index) => {
    const width = 18 + LETTER * setting.length + 16;
    if (x > left && x + width > WIDTH) [x, line] = [left, line + 1];
    const [at, y] = [x, 40 + 20 * line];
    x += width;
    const box = `<rect class="peer" opacity="${opacityOf(index)}" x="${at}" y="${y}" width="12" height="12" rx="2"/>`;
    return box + text(at + 18, y + 10.5, setting, "quiet", "start");
  });
  return { lines: line + 1, drawn: drawn.join("\n") };
};

const text = (x: number, y: number, content: string, className: string, anchor: string): string =>
  content &&
  `<text class="${className}" x="${x}" y="${y}" text-anchor="${anchor}">${escaped(content)}</text>`;

const escaped = (content: string): string =>
  content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
