import { execFileSync } from "node:child_process";
import { cpus, release, totalmem, type } from "node:os";
import { chromiumPath } from "../tests/chromium.js";

const answerOf = (command: string, args: string[]): string =>
  execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();

/** Where and when figures were taken. */
export interface Provenance {
  commit: string;
  date: string;
  machine: string;
  command: string;
  runs: number;
  quick: boolean;
}

/** The commit that was measured, with a "+" if the work tree differed from it in more than the reports. */
export const measuredCommit = (): string => {
  const changed = answerOf("git", ["status", "--porcelain", "--", ":!docs/bench"]);
  return answerOf("git", ["rev-parse", "--short", "HEAD"]) + (changed ? "+" : "");
};

export const describeMachine = (): string => {
  const cores = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  const model = cores[0]?.model.trim() || "unnamed processor";
  const browser = answerOf(chromiumPath(), ["--version", "--no-sandbox"]).split(" built")[0];
  return `${cores.length} × ${model}, ${memory} GiB, ${type()} ${release()}, Node ${process.version}, ${browser}`;
};
