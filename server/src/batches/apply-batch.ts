import * as v from "valibot";
import { firstProblem } from "../../../src/protocol/schemas/parse.js";
import { operationSchema } from "../../../src/protocol/schemas/requests.js";
import type { Operation, OperationResult, ProfileMergeOperation } from "../../../src/protocol/wire.js";
import { hashSecret } from "../credentials/secrets.js";
import { isAmong, type Database } from "../database/database.js";
import { registrations } from "../database/schema.js";
import { openDefinitions } from "../definitions/definitions.js";
import type { Registration } from "../registrations/registrations.js";
import { applyEvents } from "./apply-events.js";
import { checkOperation, MERGES_PER_BATCH, type CheckContext } from "./check-operation.js";
import { isPartitionMissing, makePartitions } from "./id-partitions.js";
import { moveActivity } from "./merge-visitor.js";
import { appliedIds, oldGivenTimes } from "./operation-ids.js";
import { momentsOfBatch, type Moment } from "./operation-times.js";
import { addEvent, noChanges } from "./pending-changes.js";
import { appendToList, draftFields, updatePerson, writeFields, type FieldsDraft } from "./person-fields.js";
import { isPlainEvent } from "./plain-event.js";
import { deleteUnmergedVisitors, lockProfiles, markMerged } from "./profile-locks.js";
import { rejection, type Rejection } from "./rejection.js";
import { findSessions } from "./session-rows.js";
import { writeChanges } from "./write-changes.js";

/** A batch whose envelope is valid. Each operation has an id and is accepted or rejected by itself. */
export interface ReceivedBatch {
  sentAt: string;
  operations: readonly { id: string; type: string }[];
}

/** A valid operation, or what is wrong with it. */
type Entry = { id: string } & ({ operation: Operation } | { problem: string });

/** Applies a batch atomically: everything that is accepted is written, or nothing. */
export async function applyBatch(
  db: Database,
  registration: Registration,
  batch: ReceivedBatch,
  receivedAt: number,
): Promise<OperationResult[]> {
  const entries = batch.operations.map(parse);
  const events = operationsOf(entries).filter((operation) => operation.type === "event");
  const momentOf = momentsOfBatch(receivedAt, Date.parse(batch.sentAt));
  const apply = async (): Promise<OperationResult[]> => {
    const results =
      events.length === entries.length
        ? await applyEvents(db, registration, events, receivedAt, momentOf)
        : null;
    return results ?? applyInTransaction(db, registration, entries, receivedAt, momentOf);
  };
  try {
    return await apply();
  } catch (error) {
    if (!isPartitionMissing(error)) throw error;
    await makePartitions(db, [receivedAt]);
    return apply();
  }
}

/** Applies any batch. Writes are collected and issued in a few statements at its end, or before a merge in its middle. */
function applyInTransaction(
  db: Database,
  registration: Registration,
  entries: readonly Entry[],
  receivedAt: number,
  momentOf: (givenAt: number) => Moment,
): Promise<OperationResult[]> {
  const operations = operationsOf(entries);
  const merges = operations.filter((operation) => operation.type === "profile.merge");
  // A visitor has no right to merge anything.
  const merging = registration.kind === "visitor" ? [] : merges.slice(0, MERGES_PER_BATCH);
  const events = operations.filter((operation) => operation.type === "event");
  const ids = entries.map(({ id }) => id);
  const oldGiven = oldGivenTimes(
    events.map(({ occurredAt }) => momentOf(Date.parse(occurredAt))),
    receivedAt,
  );
  const sessionIds = [...new Set(events.map(({ sessionId }) => sessionId))];
  const definitionIds = [...new Set(events.map(({ definitionId }) => definitionId))];
  return db.transaction(async (tx) => {
    const locked = await lockProfiles(
      tx,
      registration,
      merging.map(({ from }) => from.id.toLowerCase()),
      receivedAt,
    );
    const owner = locked.owner.key;
    const tokens = await visitorTokens(tx, merges);
    const definitions = await openDefinitions(tx).find(definitionIds);
    const load = async () => ({
      applied: await appliedIds(tx, owner, ids, oldGiven),
      sessions: await findSessions(tx, owner, sessionIds),
    });

    let { applied, sessions } = await load();
    let pending = noChanges();
    let draft: FieldsDraft | undefined;
    const checkContext: CheckContext = { registration, parties: locked, receivedAt, definitions, tokens };

    /** Returns null if the operation was applied, or will be with the pending changes. */
    const apply = async (operation: Operation): Promise<Rejection | null> => {
      const moment = momentOf(Date.parse(operation.occurredAt));
      const session = operation.type === "event" ? sessions.get(operation.sessionId) : undefined;
      const refusal = checkOperation(operation, moment, session, checkContext);
      if (refusal) return refusal;
      if (operation.type === "event") {
        addEvent(pending, operation, moment, sessions);
        return null;
      }
      if (operation.type === "profile.merge") {
        await merge(operation, moment);
        return null;
      }
      draft ??= draftFields(locked.owner.fields);
      return operation.type === "person.update"
        ? updatePerson(draft, operation.person)
        : appendToList(draft, operation.attribute, operation.item);
    };

    const merge = async ({ from }: ProfileMergeOperation, moment: Moment): Promise<void> => {
      const id = from.id.toLowerCase();
      const visitor = locked.visitors.get(id)!;
      if (visitor.mergedInto === owner) return;
      await writeChanges(tx, owner, receivedAt, pending);
      pending = noChanges();
      const change = {
        mergedInto: owner,
        mergedAt: moment.at,
        mergedGivenAt: moment.givenAt,
        mergedClockOffsetMs: moment.clockOffsetMs,
      };
      await markMerged(tx, visitor, change);
      locked.visitors.set(id, { ...visitor, ...change });
      await moveActivity(tx, visitor.key, owner);
      // The visitor's ids and sessions belong to the person now.
      ({ applied, sessions } = await load());
    };

    const results: OperationResult[] = [];
    for (const entry of entries) {
      const { id } = entry;
      if (applied.has(id)) {
        results.push({ id, status: "duplicate" });
        continue;
      }
      const error = "problem" in entry ? rejection(4220, entry.problem) : await apply(entry.operation);
      if (error) {
        results.push({ id, status: "rejected", error });
        continue;
      }
      applied.add(id);
      // The id of an event is pending with the event itself.
      if ("operation" in entry && entry.operation.type !== "event") pending.otherIds.push(id);
      results.push({ id, status: "accepted" });
    }
    await writeChanges(tx, owner, receivedAt, pending);
    if (draft?.changed) await writeFields(tx, owner, draft);
    await deleteUnmergedVisitors(tx, locked);
    return results;
  });
}

function parse(input: { id: string }): Entry {
  const { id } = input;
  if (isPlainEvent(input)) return { id, operation: input };
  const result = v.safeParse(operationSchema, input, { abortEarly: true });
  // The output rather than the input: it has only the fields that the schema names.
  if (result.success) return { id, operation: result.output };
  return { id, problem: firstProblem(operationSchema, input) ?? "the operation is not valid" };
}

function operationsOf(entries: readonly Entry[]): Operation[] {
  const operations: Operation[] = [];
  for (const entry of entries) if ("operation" in entry) operations.push(entry.operation);
  return operations;
}

/** Finds the profile that each merge's visitor token was issued for, by the token's hash. Expired tokens count. */
async function visitorTokens(
  tx: Database,
  merges: readonly ProfileMergeOperation[],
): Promise<Map<string, number>> {
  if (!merges.length) return new Map();
  const hashes = merges.map(({ from }) => hashSecret(from.token));
  const rows = await tx
    .select({ hash: registrations.tokenHash, profile: registrations.profile })
    .from(registrations)
    .where(isAmong(registrations.tokenHash, hashes));
  return new Map(rows.map(({ hash, profile }) => [hash, profile]));
}
