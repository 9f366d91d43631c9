/** `npm run bench`: `--only burst,size` some sections, `--runs 5` how often, `--quick` a first look, `--minutes 10` how long memory is watched, `--report` no new figures. */
import { parseArgs } from "node:util";
import { describeMachine, measuredCommit } from "./machine.js";
import { Progress } from "./progress.js";
import { readResults, writeResults } from "./report/results.js";
import { writeReport } from "./report/report.js";
import { sections } from "./sections.js";

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    runs: { type: "string" },
    quick: { type: "boolean", default: false },
    minutes: { type: "string" },
    report: { type: "boolean", default: false },
  },
});

const names = values.only?.split(",") ?? sections.map(({ name }) => name);
const unknown = names.filter((name) => !sections.some((section) => section.name === name));
if (unknown.length) {
  console.error(`No section ${unknown.join(", ")}: there are ${sections.map(({ name }) => name).join(", ")}`);
  process.exit(2);
}

const { quick } = values;
const runs = Number(values.runs ?? (quick ? 1 : 3));
if (!(runs >= 1)) throw new Error("--runs wants a number of 1 or more");
const minutes = Number(values.minutes ?? (quick ? 2 : 10));
if (!(minutes > 0)) throw new Error("--minutes wants a number above 0");

const chosen = values.report ? [] : sections.filter(({ name }) => names.includes(name));
const provenance = {
  commit: measuredCommit(),
  date: new Date().toISOString().slice(0, 10),
  machine: describeMachine(),
  command: ["npm run bench", ...(process.argv.length > 2 ? ["--"] : []), ...process.argv.slice(2)].join(" "),
  runs,
  quick,
};

const results = await readResults();
const progress = new Progress(chosen.length);
let failed = false;
for (const section of chosen) {
  try {
    const rows = await section.measure({
      runs,
      quick,
      minutes,
      steps: (total) => progress.steps(total),
      step: (what) => progress.step(section.name, what),
    });
    results[section.name] = { ...provenance, rows };
    // After each section, so that its results are kept even if the next section fails.
    await writeResults(results);
  } catch (error) {
    failed = true;
    console.error(`\n${section.name} could not be measured:`, error);
  }
  progress.sectionDone(section.name);
}
progress.end();
const bars = await writeReport(results);
for (const { bar, measured, met } of bars) console.log(`${met ? "met    " : "NOT MET"} ${bar}: ${measured}`);
console.log("\nThe report is docs/bench/README.md");
// A browser or a server that a failed section left open would keep the process alive.
process.exit(failed ? 1 : 0);
