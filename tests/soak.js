/**
 * `npm run test:soak` runs what takes seeds (the simulation, the property tests, random days in a browser, kills of the
 * service) with seeds that were not run before, and at full size what `npm test` runs at a smaller one (deaths of workers,
 * the backlog). Each part prints the command that replays it. `-- --seeds 20000 --days 20 --kills 20` runs longer; 0
 * leaves a part out.
 */
import { spawnSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "2000" },
    days: { type: "string", default: "5" },
    kills: { type: "string", default: "10" },
    deaths: { type: "string", default: "200" },
    backlog: { type: "string", default: "100000" },
    properties: { type: "string", default: "1" },
  },
});

const countOf = (name) => {
  const count = Number(values[name]);
  if (Number.isSafeInteger(count) && count >= 0) return count;
  console.error(`--${name} must be a whole number from 0 on, not ${values[name]}`);
  process.exit(2);
};
const [seeds, days, kills, deaths, backlog, properties] = [
  "seeds",
  "days",
  "kills",
  "deaths",
  "backlog",
  "properties",
].map(countOf);

const newSeed = () => randomInt(1, 1_000_000_000);
const from = newSeed();
const daySeeds = Array.from({ length: days }, newSeed).join(",");
const killsSeed = newSeed();
const propertiesSeed = newSeed();

const parts = [
  { count: seeds, command: `npm run simulate -- --from ${from} --seeds ${seeds}` },
  {
    count: days,
    env: { CHAOS_SEED: daySeeds },
    command: "npx vitest run --project browser tests/browser/chaos.test.ts",
  },
  {
    count: kills,
    env: { KILLS_SEED: String(killsSeed), KILLS: String(kills) },
    command: "npx vitest run --project server server/tests/database/kills.test.ts",
  },
  {
    count: deaths,
    env: { WORKER_DEATHS: String(deaths) },
    command: "npx vitest run --project browser tests/browser/worker-death.test.ts",
  },
  {
    count: backlog,
    env: { BACKLOG: String(backlog) },
    command: "npx vitest run --project browser tests/browser/backlog.test.ts",
  },
  {
    count: properties,
    env: { FAST_CHECK_SEED: String(propertiesSeed) },
    command: "npx vitest run --project unit --project server",
  },
].filter(({ count }) => count > 0);

const replayOf = ({ env = {}, command }) =>
  [...Object.entries(env).map(([name, value]) => `${name}=${value}`), command].join(" ");

const failed = parts.filter((part) => {
  const { env, command } = part;
  console.log(`\n${replayOf(part)}`);
  const [program, ...args] = command.split(" ");
  return spawnSync(program, args, { stdio: "inherit", env: { ...process.env, ...env } }).status !== 0;
});

console.log(`\n${parts.length - failed.length} of ${parts.length} parts passed`);
for (const part of failed) console.log(`failed, replay with: ${replayOf(part)}`);
process.exitCode = failed.length === 0 ? 0 : 1;
