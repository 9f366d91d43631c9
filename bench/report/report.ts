import { mkdir, writeFile } from "node:fs/promises";
import { format } from "prettier";
import type { Bar, Row, Section } from "../section.js";
import { sections } from "../sections.js";
import { drawChart } from "./chart.js";
import { withSpread } from "./number.js";
import type { Results } from "./results.js";
import { FOLDER } from "./results.js";

type Measured = Results[string];

/** Writes the Markdown and the charts. @returns every target, and whether it is met */
export const writeReport = async (results: Results): Promise<Bar[]> => {
  await mkdir(FOLDER, { recursive: true });
  const measured = sections.flatMap((section) => {
    const result = results[section.name];
    return result ? [{ section, result }] : [];
  });
  const bars = measured.flatMap(({ section, result }) => section.bars?.(result.rows) ?? []);

  for (const { section, result } of measured) {
    for (const chart of section.charts ?? []) {
      await writeFile(`${FOLDER}/${chart.name}.svg`, drawChart(chart, result.rows));
    }
  }

  const text = [
    "# The benchmark",
    "`npm run bench` generates this report; do not edit it. Figures are medians, with the lowest and the highest run in brackets. A floor is the least that any program could cost that does the essential part of the same work.",
    "## Targets",
    table(
      ["target", "measured", ""],
      bars.map(({ bar, measured, met }) => [bar, measured, met ? "met" : "**not met**"]),
    ),
    `<sub>${[...new Set(measured.map(({ result }) => sourceOf(result)))].join("<br>")}</sub>`,
    ...measured.flatMap(({ section, result }) => sectionText(section, result)),
  ].join("\n\n");
  await writeFile(`${FOLDER}/README.md`, await format(text, { parser: "markdown", printWidth: 110 }));
  return bars;
};

const sourceOf = ({ commit, date, runs, command, machine }: Omit<Measured, "rows">): string =>
  `Commit ${commit}, ${date}, ${runs} ${runs === 1 ? "run" : "runs"}, \`${command}\`; ${machine}.`;

const sectionText = (section: Section, { rows, ...from }: Measured): string[] => [
  `## ${section.title}`,
  `<sub>${sourceOf(from)}</sub>`,
  ...(section.charts ?? []).map(({ name, title }) => `![${title}](${name}.svg)`),
  rowsTable(rows),
  ...(section.notes ? [section.notes] : []),
];

/** Makes a table with a line for each subject and setting, and a column for each metric. */
const rowsTable = (rows: readonly Row[]): string => {
  const metrics = [...new Set(rows.map(({ metric }) => metric))];
  const hasSettings = rows.some(({ setting }) => setting);
  const lines = new Map<string, string[]>();
  for (const row of rows) {
    const key = `${row.subject}\n${row.setting}`;
    const line = lines.get(key) ?? [
      row.subject,
      ...(hasSettings ? [row.setting] : []),
      ...metrics.map(() => ""),
    ];
    line[(hasSettings ? 2 : 1) + metrics.indexOf(row.metric)] = withSpread(row);
    lines.set(key, line);
  }
  return table(["", ...(hasSettings ? [""] : []), ...metrics], [...lines.values()]);
};

const table = (head: string[], lines: string[][]): string =>
  [head, head.map((_, index) => (index ? "--:" : "---")), ...lines]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`)
    .join("\n");
