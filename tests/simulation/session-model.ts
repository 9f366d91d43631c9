/** What must hold of activity sessions: one open, one start, one end at its time, one profile or two that merge. */
import type { OutboxRow } from "../../src/protocol/api.js";
import type { Command } from "../../src/protocol/host.js";
import { DAY } from "../../src/protocol/wire.js";
import type { WriteSet } from "../../src/core/ports.js";
import { profileKey } from "../../src/core/delivery/registrar.js";
import type { TrackerRecord } from "../../src/core/tracker-record.js";
import { selectedProfile } from "../../src/core/tracker-record.js";
import type { Profile } from "../../src/protocol/api.js";
import type { Origin } from "./origin.js";

interface Session {
  startedAt: number;
  /** Each activity's time. */
  times: number[];
  /** The end that its last activity calls for. */
  dueAt: number;
  profile: Profile;
  endedAt?: number;
  /** Its end would be too old for the service: none is made. */
  isForgotten?: true;
  /** Hosts that did not see one another went on with it: only that it ends is promised, where its start was ours. */
  isSplit?: true;
  mustEnd?: boolean;
}

const OLDEST_END_MS = 29 * DAY;
const timeOf = ({ occurredAt }: OutboxRow): number => Date.parse(occurredAt);

export class SessionModel {
  readonly #origin: Origin;
  /** `visitor person` of every merge, wherever. */
  readonly #merges: ReadonlySet<string>;
  #sessions = new Map<string, Session>();

  constructor(origin: Origin, merges: ReadonlySet<string>) {
    this.#origin = origin;
    this.#merges = merges;
  }

  #haveMerged(visitor: Profile, person: Profile): boolean {
    return this.#merges.has(`${visitor.id} ${person.id}`);
  }

  erased(): void {
    this.#sessions = new Map();
  }

  copy(): SessionModel {
    const copy = new SessionModel(this.#origin, this.#merges);
    for (const [id, session] of this.#sessions)
      copy.#sessions.set(id, { ...session, times: [...session.times] });
    return copy;
  }

  /** A host in memory gives way, beside what others did on the disk meanwhile. */
  joined(touched: readonly OutboxRow[], put: readonly OutboxRow[], after: TrackerRecord): void {
    for (const row of touched) {
      if (row.sessionId !== undefined) this.#split(row.sessionId, timeOf(row), row.profile);
    }
    for (const row of touched) {
      const session = this.#sessions.get(row.sessionId ?? "");
      if (!session) continue;
      if (row.id.startsWith("s-") && put.includes(row)) session.mustEnd = true;
      if (row.id.startsWith("e-")) session.endedAt ??= timeOf(row);
    }
    const { session } = after;
    const selected = selectedProfile(after);
    if (session && selected) this.#split(session.id, session.startedAt, selected);
  }

  #split(id: string, startedAt: number, profile: Profile): void {
    const known = this.#sessions.get(id);
    if (known) {
      known.isSplit = true;
      known.mustEnd ??= true;
    } else {
      this.#sessions.set(id, {
        startedAt,
        times: [],
        dueAt: startedAt,
        profile,
        isSplit: true,
        mustEnd: false,
      });
    }
  }

  committed(
    before: TrackerRecord,
    change: WriteSet,
    after: TrackerRecord,
    rows: readonly OutboxRow[],
    commandOf: (id: string) => Command | undefined,
  ): void {
    rows.forEach((row, index) => {
      const { id, sessionId } = row;
      if (sessionId === undefined) return;
      if (id.startsWith("s-")) this.#started(row, sessionId, rows[index + 1]);
      else if (id.startsWith("e-")) this.#ended(row, sessionId, before, after);
      else this.#acted(row, sessionId, after, commandOf(id));
    });
    const { session } = before;
    if (session && session.id !== after.session?.id && !change.erase) this.#left(session.id);
    if (after.session) this.#checkOpen(after.session.id, after);
  }

  #started(row: OutboxRow, sessionId: string, next: OutboxRow | undefined): void {
    if (this.#sessions.get(sessionId)?.isSplit) return;
    const isFollowed = next?.sessionId === sessionId && next.occurredAt === row.occurredAt;
    this.#expect(isFollowed, () => `${row.id} does not come right before its first activity`);
    this.#expect(!this.#sessions.has(sessionId), () => `${sessionId} starts twice`);
    const startedAt = timeOf(row);
    this.#sessions.set(sessionId, { startedAt, times: [], dueAt: startedAt, profile: row.profile });
  }

  #acted(row: OutboxRow, sessionId: string, after: TrackerRecord, command: Command | undefined): void {
    const session = this.#sessions.get(sessionId);
    if (!session) return this.#expect(false, () => `${row.id} is of a session without a start`);
    if (session.isSplit) return;
    const at = timeOf(row);
    const end = session.endedAt ?? Infinity;
    this.#expect(at >= session.startedAt && at <= end, () => `${row.id} lies outside of ${sessionId}`);
    if (profileKey(row.profile) !== profileKey(session.profile)) this.#crossed(row, session);
    if (session.endedAt === undefined && at >= (session.times.at(-1) ?? at)) {
      const { sessionTimeoutMs = 0 } = command as { sessionTimeoutMs?: number };
      session.dueAt = Math.max(session.dueAt, at + sessionTimeoutMs);
    }
    session.times.push(at);
    session.times.sort((a, b) => a - b);
    this.#checkProfile(row, after);
  }

  /** Invariant 5: a session spans two profiles only where they merge. */
  #crossed(row: OutboxRow, session: Session): void {
    if (this.#haveMerged(session.profile, row.profile)) session.profile = row.profile;
    else {
      const isVisitorsLate = this.#haveMerged(row.profile, session.profile);
      this.#expect(isVisitorsLate, () => `${row.id} takes its session over to another profile`);
    }
  }

  /** Late activity is its own time's: of who was selected then. */
  #checkProfile(row: OutboxRow, { selections }: TrackerRecord): void {
    if (this.#origin.clockWasSet) return;
    const at = timeOf(row);
    // Of several selections at one instant the row belongs to any.
    const from = Math.max(
      0,
      selections.findLastIndex(({ selectedAt }) => selectedAt < at),
    );
    const to = Math.max(
      from,
      selections.findLastIndex(({ selectedAt }) => selectedAt <= at),
    );
    const isTheirs = selections
      .slice(from, to + 1)
      .some(({ profile }) => profileKey(profile) === profileKey(row.profile));
    this.#expect(
      isTheirs,
      () => `${row.id} is given to ${profileKey(row.profile)}, who was not selected then`,
    );
  }

  #ended(row: OutboxRow, sessionId: string, before: TrackerRecord, after: TrackerRecord): void {
    const session = this.#sessions.get(sessionId);
    if (!session) return this.#expect(false, () => `${row.id} ends a session without a start`);
    if (session.isSplit) {
      session.endedAt ??= timeOf(row);
      return;
    }
    this.#expect(session.endedAt === undefined, () => `${sessionId} ends twice`);
    const at = timeOf(row);
    const isChange =
      this.#origin.clockWasSet ||
      [...before.selections, ...after.selections].some(({ selectedAt }) => selectedAt === at) ||
      [...this.#sessions.values()].some(({ startedAt }) => startedAt === at && startedAt > session.startedAt);
    const isRight = at === session.dueAt || (at < session.dueAt && isChange);
    this.#expect(
      isRight,
      () => `${row.id} ends at ${row.occurredAt}, due is ${new Date(session.dueAt).toISOString()}`,
    );
    this.#expect(
      at >= (session.times.at(-1) ?? at),
      () => `${row.id} comes before the session's last activity`,
    );
    if (profileKey(row.profile) !== profileKey(session.profile)) this.#crossed(row, session);
    session.endedAt = at;
  }

  /** A session that is open no more has an end, or one that nobody would take. */
  #left(sessionId: string): void {
    const session = this.#sessions.get(sessionId);
    if (!session || session.endedAt !== undefined || session.isSplit) return;
    const isTooOld = (session.times.at(-1) ?? 0) < this.#origin.wallClock() - OLDEST_END_MS + DAY;
    this.#expect(isTooOld, () => `${sessionId} is left without an end`);
    session.isForgotten = true;
  }

  #checkOpen(sessionId: string, after: TrackerRecord): void {
    const session = this.#sessions.get(sessionId);
    if (session?.isSplit) return;
    this.#expect(session?.endedAt === undefined, () => `${sessionId} has ended and is open`);
    const selected = selectedProfile(after);
    if (!session || !selected) return;
    const isSame =
      profileKey(session.profile) === profileKey(selected) || this.#haveMerged(session.profile, selected);
    this.#expect(isSame, () => `${sessionId} is open under another profile than its own`);
  }

  /** At the end: every session has one start and one end, and no gap over the time-out. */
  check(sessionTimeoutMs: number): void {
    for (const [id, session] of this.#sessions) {
      const { startedAt, times, endedAt, isForgotten, isSplit, mustEnd } = session;
      if (isSplit) {
        this.#expect(endedAt !== undefined || mustEnd === false, () => `${id} never ends`);
        continue;
      }
      this.#expect(endedAt !== undefined || isForgotten === true, () => `${id} never ends`);
      this.#expect(times[0] === startedAt, () => `${id} does not start with its first activity`);
      const hasGap = times.some((at, index) => at - (times[index - 1] ?? at) > sessionTimeoutMs);
      this.#expect(!hasGap, () => `${id} holds a gap over the time-out`);
    }
  }

  #expect(holds: boolean, what: () => string): void {
    this.#origin.environment.chronicle.expect(holds, this.#origin.name, what);
  }
}
