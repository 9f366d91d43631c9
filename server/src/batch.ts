import * as v from "valibot";
import { firstProblem, operationSchema } from "../../src/protocol/schemas.js";
import type {
  EventDefinition,
  Operation,
  OperationResult,
  ProfileMergeOperation,
} from "../../src/protocol/wire.js";
import { advanceSession, type ActivitySession } from "./activity-session.js";
import { isAmong, isTaken, type Database } from "./database.js";
import { judgeOperation, type Judgement } from "./judge-operation.js";
import { moveActivity } from "./merge-visitor.js";
import { momentsOfBatch, type Moment } from "./operation-times.js";
import {
  addEvent,
  appliedIds,
  knownSessions,
  noChanges,
  writeChanges,
  writeFields,
  type PendingChanges,
} from "./pending-changes.js";
import { appendToList, draftFields, updatePerson, type FieldsDraft } from "./person-fields.js";
import { isPlainEvent } from "./plain-event.js";
import { rejection, type Rejection } from "./problem.js";
import { lockProfiles, makeVisitor, markMerged } from "./profile-locks.js";
import type { Registration } from "./registrations.js";
import { operationIds, registrations } from "./schema.js";
import { hashSecret } from "./secrets.js";

/** A batch whose envelope is right; each operation has an id and is judged by itself. */
export interface ReceivedBatch {
  sentAt: string;
  operations: readonly { id: string; type: string }[];
}

/** Each merge is written by itself, so a batch of nothing else would hold its transaction for long. */
const MERGES_PER_BATCH = 100;

type Parsed = { operation: Operation } | { problem: string };

/**
 * Applies a batch in one transaction: all that is accepted, or nothing. What is written is gathered and goes in a few
 * statements; only a merge in the middle makes it go before.
 */
export async function applyBatch(
  db: Database,
  registration: Registration,
  batch: ReceivedBatch,
  receivedAt: number,
  findDefinitions: (tx: Database, ids: string[]) => Promise<Map<string, EventDefinition>>,
): Promise<OperationResult[]> {
  const parsed = batch.operations.map(parse);
  const operations = parsed.flatMap((entry) => ("operation" in entry ? [entry.operation] : []));
  const merges = operations.filter((operation) => operation.type === "profile.merge");
  const events = operations.filter((operation) => operation.type === "event");
  const eventIds = new Set(events.map(({ definitionId }) => definitionId));
  const sessionIds = new Set(events.map(({ sessionId }) => sessionId));
  const momentOf = momentsOfBatch(receivedAt, Date.parse(batch.sentAt));

  /** Null, with nothing written, where it would have to look for what was applied before and must not. */
  const attempt = (looks: boolean) =>
    db.transaction(async (tx): Promise<OperationResult[] | null> => {
      const locked = await lockProfiles(
        tx,
        registration,
        merges.map(({ from }) => from.id),
      );
      const owner = locked.owner.key;
      const tokens = await visitorTokens(tx, merges);
      const definitions = await findDefinitions(tx, [...eventIds]);
      const idsToLookFor = looks ? batch.operations.map(({ id }) => id) : [];
      const load = async () => ({
        applied: await appliedIds(tx, owner, idsToLookFor),
        sessions: await knownSessions(tx, owner, [...sessionIds]),
      });

      let { applied, sessions } = await load();
      let pending = noChanges();
      let draft: FieldsDraft | undefined;
      let mergeCount = 0;
      const judgement: Judgement = { registration, locked, receivedAt, definitions, tokens };

      /** Null where it was applied, or will be with what is pending. */
      const apply = async (operation: Operation): Promise<Rejection | null> => {
        const moment = momentOf(Date.parse(operation.occurredAt));
        const session = operation.type === "event" ? sessions.get(operation.sessionId) : undefined;
        const refusal = judgeOperation(operation, moment, session, judgement);
        if (refusal) return refusal;
        if (operation.type === "event") {
          addToSession(operation.sessionId, operation.definitionId, moment, sessions, pending);
          addEvent(pending, operation, moment);
          return null;
        }
        if (operation.type === "profile.merge") {
          if (++mergeCount > MERGES_PER_BATCH)
            return rejection(4225, `a batch holds at most ${MERGES_PER_BATCH} merges`);
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
        const visitor = locked.visitors.get(id) ?? (await makeVisitor(tx, id, receivedAt));
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
      for (const [index, entry] of parsed.entries()) {
        const { id } = batch.operations[index]!;
        if (applied.has(id)) {
          results.push({ id, status: "duplicate" });
          continue;
        }
        const error = "problem" in entry ? rejection(4220, entry.problem) : await apply(entry.operation);
        if (error) {
          // It may be told once more: then it is a duplicate, whatever would be said of it today.
          if (!looks) return null;
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
      return results;
    });

  // Nearly every batch is new and right. That none of it was applied before is then proven by the writing, for ids are
  // unique; only what is refused, by the database or here, is begun anew and looked for first.
  const mustLook = merges.length > 0 || operations.length < parsed.length;
  return (mustLook ? null : await attempt(false).catch(nullWhereApplied)) ?? (await attempt(true))!;
}

const nullWhereApplied = (error: unknown): null => {
  if (isTaken(error, operationIds)) return null;
  throw error;
};

function parse(input: unknown): Parsed {
  if (isPlainEvent(input)) return { operation: input };
  const result = v.safeParse(operationSchema, input, { abortEarly: true });
  // The output, not the input: it holds nothing that the schema does not name.
  if (result.success) return { operation: result.output };
  return { problem: firstProblem(operationSchema, input) ?? "the operation is not valid" };
}

function addToSession(
  id: string,
  definitionId: string,
  moment: Moment,
  sessions: Map<string, ActivitySession>,
  pending: PendingChanges,
): void {
  const before = sessions.get(id);
  if (before && before.closingSeq !== null) pending.withdrawn.push(before.closingSeq);
  const after = advanceSession(before, id, definitionId, moment.at);
  sessions.set(id, after);
  pending.sessions.set(id, after);
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
