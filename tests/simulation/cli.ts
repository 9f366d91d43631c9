/**
 * `npm run simulate -- --seeds 1000` runs many seeds on all cores; `-- --seed 1234 --trace` replays one, with all that
 * happens in it.
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { bundle } from "./bundle.js";
import { addCounts, runSeeds } from "./pool.js";
import type { SeedReport } from "./simulate.js";
import { simulate } from "./simulate.js";

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    trace: { type: "boolean", default: false },
    seeds: { type: "string", default: "1000" },
    from: { type: "string", default: "1" },
    threads: { type: "string", default: String(availableParallelism()) },
  },
});

const table = (title: string, counts: Record<string, number>): void => {
  console.log(`\n${title}`);
  for (const [kind, count] of Object.entries(counts).toSorted((a, b) => b[1] - a[1])) {
    console.log(`${count.toLocaleString("en").padStart(12)}  ${kind}`);
  }
};

const tellViolation = ({ seed, violation, lastEvents }: SeedReport): void => {
  console.log(`\nseed ${seed}: ${violation}\n${lastEvents.slice(-25).join("\n")}`);
  console.log(`replay: npm run simulate -- --seed ${seed} --trace`);
};

const runOne = async (seed: number): Promise<boolean> => {
  const report = await simulate(seed, values.trace ? console.log : undefined);
  if (report.violation) tellViolation(report);
  table("counts", report.counts);
  table("faults", report.faults);
  return report.violation === null;
};

const progress = (done: number, all: number, operations: number): void => {
  const { isTTY, columns } = process.stdout;
  const numbers = `${done}/${all} seeds, ${operations.toLocaleString("en")} operations`;
  const width = Math.max(10, columns - numbers.length - 4);
  const filled = Math.round((done / all) * width);
  if (isTTY) process.stdout.write(`\r[${"=".repeat(filled).padEnd(width)}] ${numbers}`);
  else if (done % Math.ceil(all / 10) === 0) console.log(numbers);
};

const runMany = async (from: number, count: number): Promise<boolean> => {
  const startedAt = performance.now();
  const counts: Record<string, number> = {};
  const faults: Record<string, number> = {};
  const violations: SeedReport[] = [];
  let done = 0;
  await runSeeds({
    file: await bundle(),
    seeds: Array.from({ length: count }, (_, index) => from + index),
    threads: Number(values.threads),
    onReport: (report) => {
      addCounts(counts, report.counts);
      addCounts(faults, report.faults);
      if (report.violation) {
        violations.push(report);
        console.log(`\nseed ${report.seed}: ${report.violation}`);
      }
      progress(++done, count, counts["operations"] ?? 0);
    },
  });
  violations.slice(0, 3).forEach(tellViolation);
  table("counts", counts);
  table("faults", faults);
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  const operations = counts["operations"] ?? 0;
  const kinds = Object.values(faults);
  console.log(
    [
      `\n${done} seeds from ${from} in ${seconds} s`,
      `${operations.toLocaleString("en")} operations accepted, ${Math.round(operations / seconds)} a second`,
      `${kinds.reduce((sum, count) => sum + count, 0).toLocaleString("en")} faults of ${kinds.length} kinds`,
      `${violations.length} violations`,
    ].join("; "),
  );
  for (const { seed, violation } of violations.slice(0, 50)) console.log(`  seed ${seed}: ${violation}`);
  return violations.length === 0;
};

const isGood = await (values.seed === undefined
  ? runMany(Number(values.from), Number(values.seeds))
  : runOne(Number(values.seed)));
process.exitCode = isGood ? 0 : 1;
