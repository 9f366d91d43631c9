import type { Reporter, TestModule } from "vitest/node";

/** Says how the whole run went in its very last line, for those who only read that. */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const counts = { passed: 0, failed: errors.length, skipped: 0 };
    for (const module of modules) {
      // A file that could not even be loaded has no tests to count.
      counts.failed += module.errors().length;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        // Pending by now: the run was cut short.
        counts[state === "pending" ? "failed" : state]++;
      }
    }
    const line = `${counts.passed} passed, ${counts.failed} failed`;
    // The other reporters write in their own time, until the process leaves.
    process.once("exit", () => console.log(counts.skipped ? `${line}, ${counts.skipped} skipped` : line));
  }
}
