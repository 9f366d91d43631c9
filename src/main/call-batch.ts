/** The calls of one task, from the first call to the last outcome. They travel together, as one JSON text. */
import type { Outcome } from "../protocol/api.js";
import type { BatchHead, SentCommand } from "../protocol/host.js";
import { toJson } from "../protocol/json.js";
import type { PageOfEvents } from "./page-views.js";

export interface CallBatch {
  commands: SentCommand[];
  /** One for each command. */
  resolves: ((outcome: Outcome) => void)[];
  /** When the first of its calls was made, by the page's monotonic clock. */
  calledAt: number;
  /** Where its custom events happened. */
  page?: PageOfEvents | undefined;
  /** Set before it is sent or journaled. */
  head?: BatchHead | undefined;
  /**
   * How many of its first commands are in the unload journal. Other pages may have found them there, so only a host can
   * say that one of these was not stored.
   */
  journaled: number;
  /** All of it as JSON, once that was needed. */
  text?: string | undefined;
}

/** A `CommandBatch` as JSON, in one go: command by command it takes several times as long. */
export const jsonOf = (head: BatchHead | undefined, commands: SentCommand[]): string =>
  toJson({ ...head, commands });

export const textOf = (batch: CallBatch): string => (batch.text ??= jsonOf(batch.head, batch.commands));

/** Sets what all of its commands share. A batch that has this generation already keeps its text. */
export const setHead = (
  batch: CallBatch,
  generation: number,
  limits: Omit<BatchHead, "generation" | "page">,
): void => {
  if (batch.head?.generation === generation) return;
  batch.head = { generation, ...limits, page: batch.page?.sent };
  batch.text = undefined;
};
