/** Installs the peers and builds the SDK if they are missing, then bundles the benchmark for Node and runs it. */
import { execFileSync, spawn } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { isAbsolute, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const root = fileURLToPath(new URL("..", import.meta.url));
process.chdir(root);

const npm = (folder, ...args) => execFileSync("npm", args, { cwd: resolve(folder), stdio: "inherit" });
// Without install scripts: no peer needs its own, and we do not run code that we have not reviewed.
if (!existsSync("bench/node_modules")) npm("bench", "ci", "--ignore-scripts", "--no-audit", "--no-fund");

// Rebuild if the build is older than its source: the report names the present commit.
const newest = (folder) =>
  Math.max(
    ...readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => statSync(resolve(parentPath, name)).mtimeMs),
  );
const isBuilt = existsSync("dist/index.js") && existsSync("server/dist/index.js");
if (!isBuilt || newest("src") > statSync("dist/index.js").mtimeMs) npm(".", "run", "build");

const file = resolve(".cache/bench/cli.mjs");
const build = await rolldown({
  input: resolve("bench/cli.ts"),
  platform: "node",
  external: (id) => !id.startsWith(".") && !isAbsolute(id),
  logLevel: "silent",
});
await build.write({ file, codeSplitting: false });
await build.close();

const run = spawn(process.execPath, ["--enable-source-maps", file, ...process.argv.slice(2)], {
  stdio: "inherit",
});
run.once("exit", (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
