import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

export interface DevProcess {
  /** Everything that it has printed. */
  lines: readonly string[];
  /** Resolves with the first line that contains the text, and rejects if the process ends without one. */
  line: (text: string) => Promise<string>;
  /** Interrupts it, as Ctrl-C does, and resolves with its exit code. */
  interrupt: () => Promise<number | null>;
}

/** Runs a command in a folder, until it is interrupted. */
export const runUntilInterrupted = (command: string, args: readonly string[], cwd: string): DevProcess => {
  const child = spawn(command, args, { cwd });
  const lines: string[] = [];
  const checks = new Set<() => void>();
  const checkAll = (): void => {
    for (const check of checks) check();
  };
  for (const stream of [child.stdout, child.stderr])
    createInterface(stream).on("line", (line) => {
      lines.push(line);
      checkAll();
    });
  let hasEnded = false;
  const ended = once(child, "close").then(([code]) => {
    hasEnded = true;
    checkAll();
    return code as number | null;
  });
  return {
    lines,
    line: (text) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          const found = lines.find((each) => each.includes(text));
          if (found !== undefined) resolve(found);
          else if (hasEnded) reject(new Error(`It ended without “${text}”:\n${lines.join("\n")}`));
        };
        checks.add(check);
        check();
      }),
    interrupt: () => {
      child.kill("SIGINT");
      return ended;
    },
  };
};
