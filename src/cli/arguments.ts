import { parseArgs, type ParseArgsConfig } from "node:util";
import { UsageError } from "./command.js";

type Options = NonNullable<ParseArgsConfig["options"]>;

interface Arguments<Given extends Options> {
  values: ReturnType<typeof parseArgs<{ options: Given; strict: true; allowPositionals: true }>>["values"];
  positionals: string[];
}

/**
 * Parses the arguments of a command that takes exactly the named positional arguments.
 *
 * @throws a {@link UsageError} of one line
 */
export function parseArguments<const Given extends Options>(
  args: readonly string[],
  options: Given,
  names: readonly string[] = [],
): Arguments<Given> {
  const { values, positionals } = parseStrictly(args, options);
  const missing = names[positionals.length];
  if (missing) throw new UsageError(`<${missing}> is missing`);
  if (positionals.length > names.length)
    throw new UsageError(`unexpected argument "${positionals[names.length]}"`);
  return { values, positionals };
}

function parseStrictly<const Given extends Options>(
  args: readonly string[],
  options: Given,
): Arguments<Given> {
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: true });
  } catch (error) {
    throw new UsageError(oneLine((error as Error).message), { cause: error });
  }
}

/** Node explains in further sentences how an argument may begin with a dash, which only helps where the value is ambiguous. */
const oneLine = (message: string): string =>
  /^Unknown option '[^']*'/.exec(message)?.[0] ?? message.replaceAll("\n", " ");
