/**
 * Sends what waits, one request a turn: per profile in the order of acceptance, and a row leaves the outbox only when
 * the service has named it. Each turn ends with one transaction, which keeps what the answer changed and plans the next
 * turn under the renewed lease.
 */
import type { OutboxRow, Profile, TrackingError } from "../../protocol/api.js";
import { trackingError } from "../errors.js";
import type { Ports, ReadSet, Snapshot, WireAnswer, WriteSet } from "../ports.js";
import {
  profileQueueOf,
  sameProfile,
  waitingOf,
  withoutIdleQueues,
  withProfileQueue,
  withUnregistered,
} from "../record/profile-queues.js";
import type { ProfileQueue, TrackerRecord } from "../tracker-record.js";
import type { Verdict } from "./answers.js";
import { batchVerdict } from "./answers.js";
import { withFailure, withRetryAfter, withSuccess } from "./back-off.js";
import { BATCH_OPERATIONS, mergedVisitors, operationBatchOf } from "./batch.js";
import { withClosedBreakersOf, withOpenBreaker } from "./circuit-breaker.js";
import { clearsCompression, doubtsCompression, mayCompress, withCompressionJudged } from "./compression.js";
import { withSettledBelow } from "./due.js";
import type { Claimant, Turn } from "./lease.js";
import { holdsLease, maySend, nextTurn } from "./lease.js";
import { ReadAhead } from "./read-ahead.js";
import type { Registrar } from "./registrar.js";
import { profileKey, tokenOf } from "./registrar.js";
import { readSetToSettle, settle } from "./settle.js";

/** So many refused one by one, and none accepted between: it is not the operations. */
const MOST_REFUSED_ALONE = 10;

type Changed = WriteSet & { record: TrackerRecord };

/** One host's sender, from when it takes the lease until it releases it. */
export class Sender {
  readonly #ports: Ports;
  readonly #registrar: Registrar;
  readonly #claimant: Claimant;
  /** Halved by a refusal, doubled by success. */
  #batchOperations = BATCH_OPERATIONS;
  /** Tokens that were just given and have proved nothing yet, by profile. */
  readonly #untried = new Map<string, string>();
  /** The token that the service refused last: one new registration replaces it. */
  #refused: string | undefined;
  readonly #ahead: ReadAhead;
  /** All rows below this `seq` that may be sent are in the batch that is on its way; 0 where more of them wait. */
  #settlesBelow = 0;
  /** A compressed body was read by the service, or an uncompressed one refused just as well. */
  #compressionPasses = false;

  constructor(ports: Ports, registrar: Registrar, claimant: Claimant) {
    this.#ports = ports;
    this.#registrar = registrar;
    this.#claimant = claimant;
    this.#ahead = new ReadAhead(ports.store);
  }

  /** Profiles go in the order of their first waiting row, so that a visitor's activity arrives before its merge. */
  async send(turned: TrackerRecord, queues: readonly ProfileQueue[]): Promise<Turn> {
    const { clock, ids, store, transport } = this.#ports;
    const { hostId } = this.#claimant;
    const profiles = queues.map(({ profile }) => profile);
    const { record, rows } =
      this.#ahead.take(turned, profiles, this.#batchOperations) ??
      (await store.readWaiting(profiles, this.#batchOperations));
    // This host was suspended, or the machine asleep: another may send by now, or nobody may. The record decides.
    if (!maySend(record, hostId, clock.now())) {
      return this.#commit({}, (snapshot) => ({ record: snapshot.record }));
    }
    const [first] = rows;
    if (!first) return this.#recount(profiles);
    const { profile } = first;
    const stored = tokenOf(profileQueueOf(record, profile), clock.now());
    const token = this.#untried.get(profileKey(profile)) ?? (stored === this.#refused ? null : stored);
    if (token === null) return this.#register(record, profile, profile);
    const visitorTokens = new Map<string, string>();
    for (const visitor of mergedVisitors(rows)) {
      // An expired one counts: it proves that this browser was that visitor.
      const registered = profileQueueOf(record, visitor).registration?.token;
      const visitorToken = registered ?? this.#untried.get(profileKey(visitor));
      if (visitorToken === undefined) return this.#register(record, profile, visitor);
      visitorTokens.set(visitor.id, visitorToken);
    }
    const batch = operationBatchOf(ids.uuid(), clock.now(), rows, visitorTokens);
    const isAll = batch.rows.length === waitingOf(record, profiles);
    this.#settlesBelow = isAll ? record.nextSeq : 0;
    if (batch.rows.length < rows.length) this.#batchOperations = 2 * batch.rows.length;
    // Nothing is awaited since the rows were read, so that what an erase or an opt-out cuts off is all that is on its way.
    const answering = transport.send({
      method: "POST",
      url: `${record.connection?.endpoint}/v1/batches`,
      headers: { Authorization: `Bearer ${token}` },
      body: batch.body,
      mayCompress: mayCompress(record.delivery, first, clock.now()),
    });
    this.#ahead.begin(record, queues, batch.rows, this.#batchOperations);
    const answer = await answering;
    const verdict = batchVerdict(answer);
    const isSettled = verdict.kind === "settled" && batch.rows.every(({ id }) => verdict.results.has(id));
    if (!isSettled) this.#ahead.drop();
    if (verdict.kind === "unauthorized" && !this.#untried.has(profileKey(profile))) {
      this.#refused = token;
      return this.#commit({}, (snapshot, now) => ({ record: withRetryAfter(snapshot.record, now, answer) }));
    }
    this.#untried.clear();
    return this.#apply(profile, batch.rows, verdict, answer);
  }

  async #register(record: TrackerRecord, sending: Profile, profile: Profile): Promise<Turn> {
    const registration = await this.#registrar.ensure(record, profile, this.#refused);
    if (registration.kind === "registered") this.#untried.set(profileKey(profile), registration.token);
    // Without the visitor's token its merge cannot be sent, nor what comes after.
    const isBlocked =
      registration.kind === "refused" && registration.of !== "key" && !sameProfile(profile, sending);
    return this.#commit({}, ({ record: current }, now) => {
      if (!isBlocked) return { record: current };
      const stopped = withOpenBreaker(current, sending, registration.error, now);
      return {
        record: registration.of === "profile" ? withUnregistered(stopped, sending, profile) : stopped,
      };
    });
  }

  #apply(profile: Profile, rows: readonly OutboxRow[], verdict: Verdict, answer: WireAnswer): Promise<Turn> {
    const isDoubtful = doubtsCompression(answer, verdict, rows, this.#compressionPasses);
    this.#compressionPasses ||= clearsCompression(answer, verdict);
    if (verdict.kind === "settled") return this.#settle(profile, rows, verdict, answer);
    if (verdict.kind === "refused" && !isDoubtful && rows.length > 1) {
      this.#batchOperations = Math.ceil(rows.length / 2);
    }
    const readSet = verdict.kind === "refused" ? readSetToSettle(profile, rows) : {};
    return this.#commit(readSet, (snapshot, now) => {
      const bound = withRetryAfter(snapshot.record, now, answer);
      // A host that lost the lease, to another host or to an erase, does not decide when the next request goes.
      if (!holdsLease(bound, this.#claimant.hostId)) return { record: bound };
      const record = withCompressionJudged(bound, rows, answer, verdict, isDoubtful, now);
      switch (verdict.kind) {
        case "cutOff":
          return { record };
        case "failed":
          return { record: withFailure(record, now, this.#ports.random(), verdict.error) };
        case "unauthorized":
          return { record: withOpenBreaker(record, profile, verdict.error, now) };
        case "forbidden":
          return {
            record: withOpenBreaker(record, verdict.scope === "key" ? null : profile, verdict.error, now),
          };
        case "refused":
          return isDoubtful || rows.length > 1
            ? { record }
            : this.#refusedAlone({ ...snapshot, record }, profile, rows, verdict.error, now);
      }
    });
  }

  #settle(
    profile: Profile,
    rows: readonly OutboxRow[],
    verdict: Extract<Verdict, { kind: "settled" }>,
    answer: WireAnswer,
  ): Promise<Turn> {
    const { results } = verdict;
    const unanswered = rows.filter(({ id }) => !results.has(id)).length;
    const named = rows.length - unanswered;
    if (unanswered === 0) this.#batchOperations = Math.min(BATCH_OPERATIONS, this.#batchOperations * 2);
    return this.#commit(readSetToSettle(profile, rows), (snapshot, now) => {
      const { change, lastRejection } = settle(snapshot, profile, rows, results);
      const settled = unanswered > 0 ? change.record : withSettledBelow(change.record, this.#settlesBelow);
      let record = withRetryAfter(settled, now, answer);
      record = withCompressionJudged(record, rows, answer, verdict, false, now);
      if (named > 0) record = withClosedBreakersOf(withSuccess(record), profile);
      if (lastRejection) {
        record = { ...record, delivery: { ...record.delivery, lastError: lastRejection } };
      }
      if (unanswered > 0 && holdsLease(record, this.#claimant.hostId)) {
        const cause = `the service's answer named ${named} of ${rows.length} operations`;
        record = withFailure(record, now, this.#ports.random(), trackingError(2101, "worker", cause));
      }
      return { ...change, record };
    });
  }

  /** A count without rows (somebody deleted them by hand) would be looked for again and again. */
  #recount([profile]: readonly Profile[]): Promise<Turn> {
    if (!profile) return this.#commit({}, ({ record }) => ({ record }));
    const readSet = { waiting: { profile, from: 0, to: Infinity } };
    return this.#commit(readSet, ({ record, waitingSeqs }) => ({
      record: withoutIdleQueues(
        withProfileQueue(record, profile, (queue) => ({ ...queue, waiting: waitingSeqs.length })),
      ),
    }));
  }

  /** A poisonous operation never blocks the rest; ten in a row are not the operations' fault. */
  #refusedAlone(
    snapshot: Snapshot,
    profile: Profile,
    rows: readonly OutboxRow[],
    error: TrackingError,
    now: number,
  ): Changed {
    const results = new Map(rows.map(({ id }) => [id, { id, status: "rejected", error } as const]));
    const { change } = settle(snapshot, profile, rows, results);
    const settled = withSettledBelow(change.record, this.#settlesBelow);
    const count = settled.delivery.refusedAlone + 1;
    const record = { ...settled, delivery: { ...settled.delivery, refusedAlone: count, lastError: error } };
    return {
      ...change,
      record: count >= MOST_REFUSED_ALONE ? withOpenBreaker(record, profile, error, now) : record,
    };
  }

  #commit(readSet: ReadSet, decide: (snapshot: Snapshot, now: number) => Changed): Promise<Turn> {
    const { clock, store } = this.#ports;
    return store.commit(readSet, (snapshot) => {
      const now = clock.now();
      const change = decide(snapshot, now);
      const turn = nextTurn(change.record, this.#claimant, now);
      return { change: { ...change, record: turn.record }, result: turn };
    });
  }
}
