/** Makes one request's body from waiting rows. */
import { version } from "#package.json";
import type { OutboxRow, Profile } from "../../protocol/api.js";
import { toJson } from "../../protocol/json.js";
import type { ProfileMergeOperation } from "../../protocol/wire.js";
import { LIMITS } from "../../protocol/wire.js";
import { iso } from "../time.js";
import { utf8Bytes } from "../utf8-bytes.js";

/** Larger batches win little: reading and posting 2,000 is a third faster a row, and loses more to a broken line. */
export const BATCH_OPERATIONS = 500;
/** The envelope around the operations. */
const ENVELOPE_BYTES = 512;

/** The visitors whose tokens a batch needs. */
export const mergedVisitors = (rows: readonly OutboxRow[]): Profile[] =>
  rows.flatMap((row) =>
    row.type === "profile.merge" ? [{ kind: "visitor", id: mergedVisitorId(row) } as const] : [],
  );

export const mergedVisitorId = (row: OutboxRow): string => (row.operation as ProfileMergeOperation).from.id;

const operationJson = (row: OutboxRow, tokens: ReadonlyMap<string, string>): string => {
  if (row.type !== "profile.merge") return toJson(row.operation);
  const operation = row.operation as ProfileMergeOperation;
  const token = tokens.get(operation.from.id);
  return toJson({ ...operation, from: { ...operation.from, token } });
};

export interface OperationBatch {
  rows: readonly OutboxRow[];
  body: string;
}

/** As many of the rows, from the first on, as fit into one batch; always at least one. */
export const operationBatchOf = (
  id: string,
  sentAt: number,
  rows: readonly OutboxRow[],
  visitorTokens: ReadonlyMap<string, string>,
): OperationBatch => {
  const operations: string[] = [];
  let bytes = ENVELOPE_BYTES;
  for (const row of rows) {
    const json = operationJson(row, visitorTokens);
    bytes += utf8Bytes(json) + 1;
    if (bytes > LIMITS.batchBytes && operations.length > 0) break;
    operations.push(json);
  }
  const head = toJson({ id, sentAt: iso(sentAt), sdk: `people-tracking-sdk/${version}` });
  return {
    rows: rows.slice(0, operations.length),
    body: `${head.slice(0, -1)},"operations":[${operations.join(",")}]}`,
  };
};
