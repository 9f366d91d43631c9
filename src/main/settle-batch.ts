import type { Command, Refusal } from "../protocol/host.js";
import type { CallBatch } from "./call-batch.js";
import { SUCCESS, fail } from "./outcome.js";
import type { ErrorCode } from "./outcome.js";

/**
 * Gives the calls of a batch their outcomes, as far as they are known.
 *
 * @param refusals - what the host did not store, in the batch's order; `undefined` where it did not respond
 * @param cause - why there is no response
 * @param mayBeStored - an abandoned host may yet store what this one could not decide
 * @returns two batches with the commands that are undecided: those in the journal, for this host or the next to decide,
 *   whose callers know that they are on disk; and those that an abandoned host may yet store, which nobody can report as
 *   failed before their deadline
 */
export const settleBatch = (
  batch: CallBatch,
  refusals: Refusal[] | undefined,
  cause: string,
  mayBeStored: boolean,
): [journaled: CallBatch, inDoubt: CallBatch] => {
  const empty = (): CallBatch => ({ ...batch, commands: [], resolves: [], journaled: 0, text: undefined });
  const journaled = empty();
  const inDoubt = empty();
  let next = 0;
  batch.commands.forEach((command, index) => {
    const resolve = batch.resolves[index]!;
    const refusal = refusals?.[next]?.n === command.n ? refusals[next++] : undefined;
    let rest: CallBatch | undefined;
    if (index < batch.journaled && (!refusals || refusal?.undecided)) {
      rest = journaled;
      rest.journaled++;
      resolve(SUCCESS);
    } else if (refusal?.undecided && mayBeStored) rest = inDoubt;
    else if (!refusals) resolve(fail(CODES[command.type] ?? 2101, cause));
    else resolve(refusal ? { success: false, error: refusal.error } : SUCCESS);
    rest?.commands.push(command);
    rest?.resolves.push(resolve);
  });
  return [journaled, inDoubt];
};

/** The specification's, of the calls that have one. */
const CODES: Partial<Record<Command["type"], ErrorCode>> = {
  track: 2016,
  updatePerson: 2017,
  appendToList: 2019,
};
