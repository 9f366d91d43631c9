/** npm passes on the interrupt that the terminal has sent already. */
const ECHO_MS = 1_000;

/**
 * Resolves at the first SIGINT or SIGTERM. One more, later than an echo of the first, ends the process at once.
 */
export const untilInterrupted = (): Promise<void> =>
  new Promise((resolve) => {
    let first: number | undefined;
    const onSignal = (): void => {
      const now = performance.now();
      first ??= now;
      if (now > first + ECHO_MS) process.exit(1);
      resolve();
    };
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, onSignal);
  });
