import type { OperationResult } from "../../../src/protocol/wire.js";
import { cutMessage } from "../http/problem.js";

/** The reasons for which a single operation of a batch is rejected. */
const REJECTIONS = {
  4220: "InvalidOperationError",
  4221: "UnknownDefinitionError",
  4222: "WrongPropertiesError",
  4223: "OperationTooOldError",
  4224: "NotALeadError",
  4225: "MergeRefusedError",
  4226: "VisitorMergedError",
  4227: "LiveChatEndedError",
  4228: "PersonUpdateRefusedError",
} as const;
export type Rejection = NonNullable<OperationResult["error"]>;

export const rejection = (code: keyof typeof REJECTIONS, message: string): Rejection => ({
  code,
  name: REJECTIONS[code],
  message: cutMessage(message),
});
