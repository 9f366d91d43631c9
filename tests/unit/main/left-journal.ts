/** A journal as a page that is gone left it. */
import type { Command } from "../../../src/protocol/host.js";

export const PAGE = "abcdefghij012345";

export const command = (n: number): Command => ({
  type: "track",
  n,
  at: Date.now(),
  generation: 0,
  eventId: "action",
  sessionTimeoutMs: 1000,
  maxWaiting: 1000,
});
export const journal = ({
  commands = [command(1)],
  ...fields
}: { commands?: unknown[]; [field: string]: unknown } = {}): string =>
  JSON.stringify({ v: 3, pageId: PAGE, at: Date.now(), batches: [{ commands }], ...fields });
