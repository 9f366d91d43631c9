import { version } from "#package.json";
import type { Command, Environment } from "./command.js";
import { DEV_USAGE, devArguments, readDevOptions, type DevModule, type DevOptions } from "./dev-options.js";
import { findInstalledService } from "./installed-service.js";
import { runByNpx } from "./run-by-npx.js";

/** The service is a package of its own, because its embedded database has 27 MB, which sites that only track do not need. */
export const dev: Command = {
  usage: `people-tracking-sdk dev [--port <port>] [--origin <origin>] [--data-dir <dir>]

Starts a People service for development, with an embedded database, and prints the lines to paste into your site.
Needs the package people-service: the installed one is used, or npx fetches it.

${DEV_USAGE}`,

  async run(args, environment) {
    const options = readDevOptions(args, environment.cwd);
    const installed = findInstalledService([environment.cwd, environment.distFolder]);
    if (!installed) return devByNpx(options, environment);
    const { dev: runService } = (await import(installed)) as DevModule;
    await runService(options);
    return 0;
  },
};

async function devByNpx(options: DevOptions, { print, cwd }: Environment): Promise<number> {
  const service = `people-service@${version}`;
  print(`The package people-service is not installed here: npx fetches ${service}.`);
  // Asked for its version first, so that "cannot be fetched" and "does not start" are told apart.
  const probe = await runByNpx([service, "--version"], { cwd, quiet: true });
  if (probe !== 0)
    throw new Error(
      `The People service is not available: npx could not fetch ${service}. Check the network, or install it: npm install --save-dev ${service}`,
    );
  return runByNpx([service, "dev", ...devArguments(options)], { cwd });
}
