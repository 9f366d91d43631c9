import { mkdir, readFile, writeFile } from "node:fs/promises";
import type { Provenance } from "../machine.js";
import type { Row } from "../section.js";

export const FOLDER = "docs/bench";
const FILE = `${FOLDER}/results.json`;

/** The results of each section. Each has its own provenance, because `--only` keeps the results of all other sections. */
export type Results = Record<string, Provenance & { rows: Row[] }>;

export const readResults = async (): Promise<Results> => {
  try {
    return JSON.parse(await readFile(FILE, "utf8")) as Results;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw error;
  }
};

const rounded = (value: number): number => Number(value.toPrecision(5));

/** A row a line, so that two runs can be compared by `git diff`. */
export const writeResults = async (results: Results): Promise<void> => {
  await mkdir(FOLDER, { recursive: true });
  const sections = Object.entries(results).map(([name, { rows, ...provenance }]) => {
    const lines = rows.map((row) => `      ${JSON.stringify({ ...row, values: row.values.map(rounded) })}`);
    const head = Object.entries(provenance).map(([key, value]) => `    "${key}": ${JSON.stringify(value)},`);
    return `  "${name}": {\n${head.join("\n")}\n    "rows": [\n${lines.join(",\n")}\n    ]\n  }`;
  });
  await writeFile(FILE, `{\n${sections.join(",\n")}\n}\n`);
};
