import type { Logger } from "pino";

/**
 * Begins with the first SIGTERM or SIGINT; another one ends the process at once, as it does in any program. The process
 * then has `graceMs` to end by itself. After that it is ended, whatever it waits for.
 *
 * @returns what is aborted when the shutdown begins
 */
export function onShutdown(graceMs: number, logger: Logger): AbortSignal {
  const shutdown = new AbortController();
  const begin = (signal: NodeJS.Signals): void => {
    if (shutdown.signal.aborted) return;
    logger.info({ signal, graceMs }, "stopping");
    for (const each of SIGNALS) process.removeListener(each, begin);
    setTimeout(() => {
      logger.error({ graceMs }, "not stopped within the grace: what is under way is cut off");
      process.exit(1);
    }, graceMs);
    shutdown.abort();
  };
  for (const each of SIGNALS) process.on(each, begin);
  return shutdown.signal;
}

const SIGNALS = ["SIGTERM", "SIGINT"] as const;
