import { version } from "#package.json";
import { UsageError, type Command, type Environment } from "./command.js";
import { copy } from "./copy.js";
import { pull, push } from "./definitions.js";
import { dev } from "./dev.js";
import { typegen } from "./typegen.js";

const COMMANDS: ReadonlyMap<string, Command> = new Map([
  ["dev", dev],
  ["copy", copy],
  ["typegen", typegen],
  ["definitions push", push],
  ["definitions pull", pull],
]);

const USAGE = `people-tracking-sdk <command>

  dev                 starts a People service for development
  copy <folder>       copies the worker files to where your site serves them
  typegen             writes the types of the events that are defined
  definitions push    defines events from a file
  definitions pull    writes the events that are defined to a file

people-tracking-sdk <command> --help explains one; --version prints the version.`;

/**
 * Runs the command that the arguments name.
 *
 * @param printError - prints one line to the standard error
 * @returns the exit code: 0, 1 for a failure, 2 for wrong arguments
 */
export async function run(
  args: readonly string[],
  environment: Environment,
  printError: (line: string) => void,
): Promise<number> {
  const isHelp = args.some((each) => ["--help", "-h"].includes(each));
  const words = args[0] === "definitions" ? 2 : 1;
  const name = args.slice(0, words).join(" ");
  const command = COMMANDS.get(name);
  if (!args.length || isHelp) {
    environment.print(command?.usage ?? USAGE);
    return 0;
  }
  if (name === "--version") {
    environment.print(version);
    return 0;
  }
  if (!command) {
    printError(`people-tracking-sdk: there is no command "${name}" (people-tracking-sdk --help lists them)`);
    return 2;
  }
  try {
    return await command.run(args.slice(words), environment);
  } catch (error) {
    const isUsage = error instanceof UsageError;
    const hint = isUsage ? ` (people-tracking-sdk ${name} --help explains it)` : "";
    printError(`people-tracking-sdk ${name}: ${(error as Error).message}${hint}`);
    return isUsage ? 2 : 1;
  }
}
