import type { Logger } from "pino";

/**
 * Starts the shutdown at the first SIGTERM or SIGINT. A second signal ends the process at once, as in any program. If the
 * process has not ended by itself after `graceMs`, it exits with code 1.
 *
 * @returns a signal that is aborted when the shutdown starts
 */
export function onShutdown(graceMs: number, logger: Logger): AbortSignal {
  const shutdown = new AbortController();
  const begin = (signal: NodeJS.Signals): void => {
    if (shutdown.signal.aborted) return;
    logger.info({ signal, graceMs }, "stopping");
    for (const each of SIGNALS) process.removeListener(each, begin);
    setTimeout(() => {
      logger.error({ graceMs }, "the shutdown exceeded its grace period: pending requests are cut off");
      process.exit(1);
    }, graceMs);
    shutdown.abort();
  };
  for (const each of SIGNALS) process.on(each, begin);
  return shutdown.signal;
}

const SIGNALS = ["SIGTERM", "SIGINT"] as const;
