/**
 * Random histories of several tabs: activity and updates that arrive late, Live Chat told by every tab in its own time,
 * stale repeats, commands sent again, clocks that are set, erasing and consent. What must hold whatever happens is
 * checked with every step.
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import * as fc from "fast-check";
import type { LiveChatSession, OutboxRow } from "../../../src/protocol/api.js";
import type { Command } from "../../../src/protocol/host.js";
import type { ProfileMergeOperation } from "../../../src/protocol/wire.js";
import { DAY, HOUR, MINUTE, SECOND } from "../../../src/protocol/wire.js";
import { NOON, TrackedBrowser, leadOf, userOf } from "./tracked-browser.js";

export const TABS = ["one", "two", "three"] as const;
export type Tab = (typeof TABS)[number];

type WriteSet = "chat" | "authenticate" | "logout";
export type Action =
  | { kind: "activity" | "update"; tab: Tab; delayMs: number }
  | { kind: WriteSet; delaysMs: readonly number[] }
  | { kind: "repeat" | "resend"; pick: number }
  | { kind: "clock"; byMs: number }
  | { kind: "look" | "load" | "erase" | "optOut" | "optIn" };
export type Step = Action & { gapMs: number };

// --- what is drawn ---

const upTo = (ms: number) => fc.integer({ min: 1, max: ms });
const short = fc.oneof(
  { weight: 3, arbitrary: upTo(15 * SECOND) },
  { weight: 3, arbitrary: upTo(40 * MINUTE) },
);
export const GAPS_OF_HOURS = fc.oneof(
  { weight: 1, arbitrary: fc.constant(0) },
  { weight: 4, arbitrary: short },
  { weight: 1, arbitrary: upTo(5 * HOUR) },
);
export const GAPS_OF_MONTHS = fc.oneof(
  { weight: 8, arbitrary: GAPS_OF_HOURS },
  { weight: 1, arbitrary: upTo(70 * DAY) },
  { weight: 1, arbitrary: fc.constantFrom(30 * MINUTE, 45 * DAY, 45 * DAY + 1, 29 * DAY + 30 * MINUTE) },
);
export const AT_ONCE = fc.constant(0);
export const LATE = fc.oneof(AT_ONCE, upTo(15 * SECOND), upTo(10 * MINUTE));

const tab = fc.constantFrom(...TABS);
export const activities = (delayMs: fc.Arbitrary<number>) =>
  fc.record({
    kind: fc.constantFrom("activity" as const, "activity" as const, "update" as const),
    tab,
    delayMs,
  });
export const changes = (delayMs: fc.Arbitrary<number>) =>
  fc.record({
    kind: fc.constantFrom("chat" as const, "authenticate" as const, "logout" as const),
    delaysMs: fc.oneof(
      fc.array(delayMs, { minLength: TABS.length, maxLength: TABS.length }),
      // All tabs in one slow network: much happens before anybody tells.
      delayMs.map((ms) => TABS.map(() => ms)),
    ),
  });
export const LOOKS = fc.record({ kind: fc.constantFrom("look" as const, "load" as const) });
export const REPEATS = fc.record({
  kind: fc.constantFrom("repeat" as const, "resend" as const),
  pick: fc.nat(1000),
});
export const CLOCKS = fc.record({
  kind: fc.constant("clock" as const),
  byMs: fc.oneof(
    fc.integer({ min: -30 * MINUTE, max: 30 * MINUTE }),
    fc.integer({ min: -60 * DAY, max: 60 * DAY }),
  ),
});
export const CONSENT = fc.record({
  kind: fc.constantFrom("erase" as const, "optOut" as const, "optIn" as const, "optIn" as const),
});

export const historyOf = (gapMs: fc.Arbitrary<number>, ...actions: fc.Arbitrary<Action>[]) =>
  fc.array(
    fc.tuple(gapMs, fc.oneof(...actions)).map(([gapMs, action]): Step => ({ ...action, gapMs })),
    { maxLength: 60 },
  );

// --- what happens ---

interface Delivery {
  due: number;
  run: () => void;
}

export class History {
  readonly browser = new TrackedBrowser();
  /** What Live Chat knew, and from when on. */
  readonly truth: { from: number; session: LiveChatSession | null }[] = [{ from: 0, session: null }];
  /** When each command was called, by its row's id. */
  readonly calledAt = new Map<string, number>();
  /** The most that any clock showed. */
  latestClock = 0;
  /** The Live Chat sessions and kinds that were in force, one after the other. */
  readonly inForce: string[] = [];
  readonly #timeouts: Record<Tab, number>;
  #time = NOON;
  #skew = 0;
  #waiting: Delivery[] = [];
  readonly #heardUntil = new Map<Tab, number>();
  readonly #sent: { tab: Tab; command: Command }[] = [];
  readonly #reports: { tab: Tab; session: LiveChatSession | null; left?: string }[] = [];

  constructor(timeouts: Record<Tab, number>) {
    this.#timeouts = timeouts;
  }

  /** Runs the steps, and asserts after each of them and at the end what holds whatever happens. */
  static runChecked(steps: readonly Step[], timeouts: Record<Tab, number>): History {
    const history = new History(timeouts);
    for (const step of steps) {
      history.#advance(step.gapMs);
      history.#do(step);
    }
    history.#advance(30 * MINUTE);
    history.checkChapter();
    return history;
  }

  get current(): LiveChatSession | null {
    return this.truth.at(-1)?.session ?? null;
  }

  #advance(ms: number): void {
    const until = this.#time + ms;
    for (;;) {
      const next = this.#waiting
        .filter(({ due }) => due <= until)
        .reduce<Delivery | null>((first, each) => (first && first.due <= each.due ? first : each), null);
      if (!next) break;
      this.#waiting = this.#waiting.filter((each) => each !== next);
      this.#setTime(next.due);
      next.run();
    }
    this.#setTime(until);
  }

  #setTime(time: number): void {
    this.#time = time;
    this.browser.now = time + this.#skew;
    this.latestClock = Math.max(this.latestClock, this.browser.now);
  }

  #later(delayMs: number, run: () => void): void {
    if (delayMs === 0) run();
    else this.#waiting.push({ due: this.#time + delayMs, run });
  }

  #do(step: Step): void {
    const { browser } = this;
    switch (step.kind) {
      case "activity": {
        const command = browser.stamped(step.tab, {
          type: "track",
          eventId: "action",
          sessionTimeoutMs: this.#timeouts[step.tab],
          maxWaiting: 1e5,
        });
        return this.#later(step.delayMs, () => this.#submitChecked(step.tab, command));
      }
      case "update": {
        const command = browser.stamped(step.tab, {
          type: "updatePerson",
          person: { firstName: "Semi" },
          maxWaiting: 1e5,
        });
        return this.#later(step.delayMs, () => this.#submitChecked(step.tab, command));
      }
      case "chat":
      case "authenticate":
      case "logout":
        return this.#changeLiveChat(step.kind, step.delaysMs);
      case "repeat": {
        const report = this.#reports[step.pick % this.#reports.length];
        return report && this.#report(report.tab, report.session, report.left);
      }
      case "resend": {
        const sent = this.#sent[step.pick % this.#sent.length];
        return sent && this.#resendAndCheckNothingChanges(sent.tab, sent.command);
      }
      case "clock":
        this.#skew += step.byMs;
        return this.#setTime(this.#time);
      case "look":
        return browser.endDue();
      case "load":
        browser.init(this.current);
        return this.#noteInForce();
      case "erase":
        this.checkChapter();
        return browser.erase();
      case "optOut":
      case "optIn":
        return browser.setConsent(step.kind === "optOut" ? "out" : "in");
    }
  }

  #changeLiveChat(kind: WriteSet, delaysMs: readonly number[]): void {
    const before = this.current;
    const next = changed(before, kind, this.truth.length);
    if (next === before) return;
    this.truth.push({ from: this.browser.now, session: next });
    TABS.forEach((tab, index) => {
      // Each tab hears of the changes in their order.
      const due = Math.max(this.#heardUntil.get(tab) ?? 0, this.#time + (delaysMs[index] ?? 0));
      this.#heardUntil.set(tab, due);
      const { now } = this.browser;
      this.#later(due - this.#time, () => {
        const left = next === null ? before?.id : undefined;
        this.#report(tab, next, left, now);
        this.#reports.push({ tab, session: next, ...(left !== undefined && { left }) });
      });
    });
  }

  #report(tab: Tab, session: LiveChatSession | null, left?: string, at = this.browser.now): void {
    const given = { type: "liveChat" as const, session, at, ...(left !== undefined && { left }) };
    this.#submitChecked(tab, this.browser.stamped(tab, given));
  }

  #submitChecked(tab: Tab, command: Command): void {
    const { browser } = this;
    const before = browser.rows.length;
    const nextSeq = browser.record.nextSeq;
    const [answer] = browser.submit(tab, [command]);
    const made = browser.rows.slice(before);
    const id = `${tab}-${command.n}`;
    const isStored = command.type !== "liveChat" && !answer?.error;
    equal(made.filter((row) => row.id === id).length, isStored ? 1 : 0, `rows of ${id}`);
    deepEqual(
      made.map(({ seq }) => seq),
      made.map((_, index) => nextSeq + index),
    );
    equal(browser.record.nextSeq, nextSeq + made.length);
    this.#checkCounters();
    this.#noteInForce();
    this.#sent.push({ tab, command });
    if (isStored) this.calledAt.set(id, command.at);
  }

  #resendAndCheckNothingChanges(tab: Tab, command: Command): void {
    const { browser } = this;
    browser.submitGroups([]);
    const { record } = browser;
    const rows = [...browser.rows];
    browser.submit(tab, [command]);
    deepEqual(browser.record, record);
    deepEqual(browser.rows, rows);
  }

  #noteInForce(): void {
    const { liveChat } = this.browser.record;
    const key = liveChat ? `${liveChat.id} ${liveChat.kind}` : "nobody";
    if (this.inForce.at(-1) !== key) this.inForce.push(key);
  }

  #checkCounters(): void {
    const { record, rows } = this.browser;
    const counted = new Map<string, number>();
    for (const { profile } of rows) {
      const key = `${profile.kind} ${profile.id}`;
      counted.set(key, (counted.get(key) ?? 0) + 1);
    }
    const kept = record.lanes.filter(({ waiting }) => waiting > 0);
    deepEqual(
      new Map(kept.map(({ profile, waiting }) => [`${profile.kind} ${profile.id}`, waiting])),
      counted,
    );
    const remembered = new Set(record.selections.map(({ profile }) => profile.id));
    ok(record.lanes.every(({ waiting, profile }) => waiting > 0 || remembered.has(profile.id)));
  }

  /** What must hold of all rows between two erasings. */
  checkChapter(): void {
    const { record, rows } = this.browser;
    equal(new Set(rows.map(({ id }) => id)).size, rows.length, "ids are unique");
    const merges = rows.filter(({ type }) => type === "profile.merge");
    const mergeOf = new Map(merges.map((row) => [(row.operation as ProfileMergeOperation).from.id, row]));
    equal(mergeOf.size, merges.length, "a visitor merges once");
    for (const { type, profile } of rows) {
      if (type === "person.update") equal(profile.kind, "lead");
    }
    for (const [sessionId, ofSession] of sessionsOf(rows)) {
      const ids = ofSession.map(({ id }) => id);
      equal(ids.filter((id) => id === `s-${sessionId}`).length, 1, "one start");
      const ends = ids.filter((id) => id === `e-${sessionId}`).length;
      const isTooOldToEnd = lastActivityOf(ofSession) < this.latestClock - 28 * DAY;
      if (sessionId === record.session?.id) equal(ends, 0, "no end while open");
      else if (ends > 0 || !isTooOldToEnd) equal(ends, 1, "one end");

      const profiles = new Map(ofSession.map(({ profile }) => [profile.id, profile]));
      ok(profiles.size <= 2);
      if (profiles.size === 2) {
        const visitor = [...profiles.values()].find(({ kind }) => kind === "visitor");
        const merge = mergeOf.get(visitor?.id ?? "");
        const ofPerson = ofSession.filter(({ profile }) => profile.id !== visitor?.id);
        deepEqual(ofPerson[0]?.profile, merge?.profile);
        for (const { seq } of ofPerson) ok(seq > (merge?.seq ?? Infinity), "the merge comes first");
      }
    }
  }
}

/** A chat where there is none; a user signs in, in the chat's own session where there is one. */
const changed = (current: LiveChatSession | null, kind: WriteSet, count: number): LiveChatSession | null => {
  switch (kind) {
    case "chat":
      return current ?? leadOf(`chat${count}`);
    case "authenticate":
      if (current?.kind === "authenticated") return current;
      return userOf(current?.id ?? `chat${count}`);
    case "logout":
      return null;
  }
};

export const timeOf = ({ occurredAt }: OutboxRow): number => Date.parse(occurredAt);
export const isActivity = ({ id }: OutboxRow): boolean => !/^[sem]-/.test(id);
const lastActivityOf = (rows: readonly OutboxRow[]): number =>
  Math.max(...rows.filter(isActivity).map(timeOf));

/** Rows by activity session, in the order of acceptance. */
export const sessionsOf = (rows: readonly OutboxRow[]): Map<string, OutboxRow[]> => {
  const sessions = new Map<string, OutboxRow[]>();
  for (const row of rows) {
    if (row.sessionId === undefined) continue;
    sessions.set(row.sessionId, [...(sessions.get(row.sessionId) ?? []), row]);
  }
  return sessions;
};
