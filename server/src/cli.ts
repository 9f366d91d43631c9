#!/usr/bin/env node
/** The command `people-service`. */
import { UsageError } from "../../src/cli/command.js";
import { DEV_USAGE, readDevOptions } from "../../src/cli/dev-options.js";
import packageJson from "../package.json" with { type: "json" };
import { dev } from "./dev/dev.js";

const USAGE = `people-service dev [options]   a service for development, with an embedded database

${DEV_USAGE}`;

async function run(args: readonly string[]): Promise<void> {
  const [command, ...rest] = args;
  if (command === "--version") console.log(packageJson.version);
  else if (!command || args.includes("--help")) console.log(USAGE);
  else if (command === "dev") await dev(readDevOptions(rest, process.cwd()));
  else throw new UsageError(`there is no command "${command}": dev is one`);
}

try {
  await run(process.argv.slice(2));
} catch (error) {
  console.error(`people-service: ${(error as Error).message}`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
