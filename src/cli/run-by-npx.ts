import { spawn } from "node:child_process";
import { once } from "node:events";

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/**
 * Runs the command of a package that need not be installed, with this process's terminal.
 *
 * @returns its exit code; 1 if it was ended by a signal, or npx does not exist
 */
export async function runByNpx(
  args: readonly string[],
  { cwd, quiet = false }: { cwd: string; quiet?: boolean },
): Promise<number> {
  // Windows starts npx, a command file, with a shell alone.
  const isWindows = process.platform === "win32";
  const given = ["--yes", ...(quiet ? ["--fetch-retries=0"] : []), ...args];
  const child = spawn("npx", isWindows ? given.map((each) => `"${each}"`) : given, {
    cwd,
    shell: isWindows,
    stdio: quiet ? "ignore" : "inherit",
  });
  // A terminal interrupts the child too, which then stops cleanly; this process waits for it.
  const pass = (signal: NodeJS.Signals): void => void (signal === "SIGTERM" && child.kill(signal));
  for (const signal of SIGNALS) process.on(signal, pass);
  try {
    const [code] = (await once(child, "exit")) as [number | null];
    return code ?? 1;
  } catch {
    // npx does not exist.
    return 1;
  } finally {
    for (const signal of SIGNALS) process.off(signal, pass);
  }
}
