#!/usr/bin/env node
/** The command `people-tracking-sdk`. */
import { run } from "./run.js";

process.exitCode = await run(
  process.argv.slice(2),
  {
    print: (text) => console.log(text),
    cwd: process.cwd(),
    variables: process.env,
    fetch,
    distFolder: import.meta.dirname,
  },
  (line) => console.error(line),
);
