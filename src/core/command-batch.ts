import type { Command, CommandBatch } from "../protocol/host.js";
import { fromJson } from "../protocol/json.js";

/** The commands of a batch as pages send it, each with what the batch says for all. */
export const commandsIn = (batch: string, deadline?: number): Command[] => {
  const { commands, page, ...head } = fromJson(batch) as CommandBatch;
  const all = { ...head, ...(deadline !== undefined && { deadline }) };
  const events = { ...all, ...(page && { page }) };
  return commands.map((command) => ({ ...(command.type === "track" ? events : all), ...command }));
};
