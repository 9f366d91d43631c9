import * as v from "valibot";
import { firstProblem } from "../../src/protocol/schemas/parse.js";
import { operationSchema } from "../../src/protocol/schemas/requests.js";
import type { Operation, OperationResult, ProfileMergeOperation } from "../../src/protocol/wire.js";
import { applyEvents } from "./apply-events.js";
import { isAmong, type Database } from "./database.js";
import { openDefinitions } from "./definitions.js";
import { isPartitionMissing, makePartitions } from "./id-partitions.js";
import { judgeOperation, MERGES_PER_BATCH, type Judgement } from "./judge-operation.js";
import { moveActivity } from "./merge-visitor.js";
import { appliedIds, oldGivenTimes } from "./operation-ids.js";
import { momentsOfBatch, type Moment } from "./operation-times.js";
import { addEvent, knownSessions, noChanges, writeChanges, writeFields } from "./pending-changes.js";
import { appendToList, draftFields, updatePerson, type FieldsDraft } from "./person-fields.js";
import { isPlainEvent } from "./plain-event.js";
import { rejection, type Rejection } from "./problem.js";
import { forgetVisitors, lockProfiles, markMerged } from "./profile-locks.js";
import type { Registration } from "./registrations.js";
import { registrations } from "./schema.js";
import { hashSecret } from "./secrets.js";

/** A batch whose envelope is right; each operation has an id and is judged by itself. */
export interface ReceivedBatch {
  sentAt: string;
  operations: readonly { id: string; type: string }[];
}

/** An operation by itself, or what is wrong with it. */
type Entry = { id: string } & ({ operation: Operation } | { problem: string });

/** Applies a batch: all that is accepted, or nothing. */
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

/** Any batch. What is written is gathered and goes in a few statements; only a merge in the middle makes it go before. */
function applyInTransaction(
  db: Database,
  registration: Registration,
  entries: readonly Entry[],
  receivedAt: number,
  momentOf: (givenAt: number) => Moment,
): Promise<OperationResult[]> {
  const operations = operationsOf(entries);
  const merges = operations.filter((operation) => operation.type === "profile.merge");
  // A visitor never merges, whatever it asks for.
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
      sessions: await knownSessions(tx, owner, sessionIds),
    });

    let { applied, sessions } = await load();
    let pending = noChanges();
    let draft: FieldsDraft | undefined;
    const judgement: Judgement = { registration, parties: locked, receivedAt, definitions, tokens };

    /** Null where it was applied, or will be with what is pending. */
    const apply = async (operation: Operation): Promise<Rejection | null> => {
      const moment = momentOf(Date.parse(operation.occurredAt));
      const session = operation.type === "event" ? sessions.get(operation.sessionId) : undefined;
      const refusal = judgeOperation(operation, moment, session, judgement);
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
      // What the visitor had sent is the person's now, its ids and sessions among it.
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
      // An event brings its id along.
      if ("operation" in entry && entry.operation.type !== "event") pending.otherIds.push(id);
      results.push({ id, status: "accepted" });
    }
    await writeChanges(tx, owner, receivedAt, pending);
    if (draft?.changed) await writeFields(tx, owner, draft);
    await forgetVisitors(tx, locked);
    return results;
  });
}

function parse(input: { id: string }): Entry {
  const { id } = input;
  if (isPlainEvent(input)) return { id, operation: input };
  const result = v.safeParse(operationSchema, input, { abortEarly: true });
  // The output, not the input: it holds nothing that the schema does not name.
  if (result.success) return { id, operation: result.output };
  return { id, problem: firstProblem(operationSchema, input) ?? "the operation is not valid" };
}

function operationsOf(entries: readonly Entry[]): Operation[] {
  const operations: Operation[] = [];
  for (const entry of entries) if ("operation" in entry) operations.push(entry.operation);
  return operations;
}

/** Which profile each merge's token was given for, by the token's hash. An expired one counts. */
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
