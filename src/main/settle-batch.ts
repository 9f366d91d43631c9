import type { Command, Refusal } from "../protocol/host.js";
import type { CallBatch } from "./call-batch.js";
import { SUCCESS, fail } from "./outcome.js";
import type { ErrorCode } from "./outcome.js";

export interface Undecided {
  /** In the journal, for this host or the next to decide. Its callers know that it is on disk. */
  journaled: CallBatch;
  /** An abandoned host may yet store it: until its deadline nobody can tell that it failed. */
  inDoubt: CallBatch;
}

/**
 * Gives the calls of a batch their outcomes, as far as they are known.
 *
 * @param refusals - what the host did not store, in the batch's order; `undefined` where it did not respond
 * @param cause - why there is no response
 * @param mayBeStored - an abandoned host may yet store what this one could not decide
 * @returns the commands that are undecided, as batches of their own
 */
export const settleBatch = (
  batch: CallBatch,
  refusals: Refusal[] | undefined,
  cause: string,
  mayBeStored: boolean,
): Undecided => {
  const empty = (): CallBatch => ({ ...batch, commands: [], resolves: [], journaled: 0, text: undefined });
  const undecided: Undecided = { journaled: empty(), inDoubt: empty() };
  let next = 0;
  batch.commands.forEach((command, index) => {
    const resolve = batch.resolves[index]!;
    const refusal = refusals?.[next]?.n === command.n ? refusals[next++] : undefined;
    let rest: CallBatch | undefined;
    if (index < batch.journaled && (!refusals || refusal?.undecided)) {
      rest = undecided.journaled;
      rest.journaled++;
      resolve(SUCCESS);
    } else if (refusal?.undecided && mayBeStored) rest = undecided.inDoubt;
    else if (!refusals) resolve(fail(CODES[command.type], cause));
    else resolve(refusal ? { success: false, error: refusal.error } : SUCCESS);
    rest?.commands.push(command);
    rest?.resolves.push(resolve);
  });
  return undecided;
};

const CODES: Record<Command["type"], ErrorCode> = {
  track: 2016,
  updatePerson: 2017,
  appendToList: 2019,
  pageView: 2101,
  liveChat: 2101,
};
