/** What a command uses of the process that runs it. */
export interface Environment {
  /** Prints one or more lines to the standard output. */
  print: (text: string) => void;
  cwd: string;
  variables: Readonly<Record<string, string | undefined>>;
  fetch: typeof fetch;
  /** The folder that holds the built files of this package. */
  distFolder: string;
}

export interface Command {
  /** What `--help` prints. */
  usage: string;
  /**
   * @returns the exit code: 0, or 1 if a check failed
   * @throws a {@link UsageError} for wrong arguments, or another Error whose message says what to do
   */
  run(args: readonly string[], environment: Environment): Promise<number>;
}

/** Wrong arguments: exit code 2. */
export class UsageError extends Error {}
