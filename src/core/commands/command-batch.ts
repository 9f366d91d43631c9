import type { Command, CommandBatch } from "../../protocol/host.js";
import { COMMAND_DEADLINE_MS } from "../../protocol/host.js";
import { fromJson } from "../../protocol/json.js";
import { pageClockSkew } from "./page-clock.js";

/**
 * Reads the commands of a batch that a page sent, each with the fields that the batch has once for all.
 *
 * @param calledAt When the first of its calls was made, by the host's clock; unknown for what a journal holds.
 */
export const commandsIn = (batch: string, calledAt?: number): Command[] => {
  const { commands, page, ...head } = fromJson(batch) as CommandBatch;
  const deadline = calledAt !== undefined && { deadline: calledAt + COMMAND_DEADLINE_MS };
  const all = { ...head, ...deadline };
  const events = { ...all, ...(page && { page }) };
  const skewMs = calledAt === undefined ? 0 : pageClockSkew(commands[0]?.at ?? 0, calledAt);
  return commands.map((command) => ({
    ...(command.type === "track" ? events : all),
    ...command,
    at: command.at + skewMs,
  }));
};
