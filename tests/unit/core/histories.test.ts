/** The session clock, the profile selection and acceptance as properties of random histories. */
import * as fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import type { Profile } from "../../../src/protocol/api.js";
import { MINUTE, SECOND } from "../../../src/protocol/wire.js";
import {
  AT_ONCE,
  CLOCKS,
  CONSENT,
  GAPS_OF_HOURS,
  GAPS_OF_MONTHS,
  History,
  LATE,
  LOOKS,
  REPEATS,
  activities,
  changes,
  historyOf,
  isActivity,
  sessionsOf,
  timeOf,
} from "./histories.js";
import { expectedRows, namedRows } from "./expected-rows.js";

const ALIKE = { one: 30 * MINUTE, two: 30 * MINUTE, three: 30 * MINUTE };
const UNLIKE = { one: 30 * MINUTE, two: 5 * MINUTE, three: 55 * MINUTE };

const RUNS = 250;
/** A second or two each; on a machine that is busy with browsers, more. */
vi.setConfig({ testTimeout: MINUTE });

/** Without a person: a visitor, or the person who took the place of a visitor without operations. */
const visitorOr = (next: Profile | null | undefined, owner: Profile): Profile | null =>
  owner.kind === "visitor" ? owner : (next ?? null);

describe("random histories of several tabs", () => {
  test("every history holds the invariants after each step, with clocks, erasing and consent, and keeps at most 20 past sessions", () => {
    const history = historyOf(
      GAPS_OF_MONTHS,
      activities(LATE),
      activities(LATE),
      changes(LATE),
      LOOKS,
      REPEATS,
      CLOCKS,
      CONSENT,
    );
    fc.assert(
      fc.property(history, (steps) => {
        const { browser } = History.runChecked(steps, UNLIKE);
        expect(browser.record.pastSessions.length).toBeLessThanOrEqual(20);
      }),
      { numRuns: RUNS },
    );
  });

  test("without delays the rows are exactly those of a plain reading of the contract", () => {
    const history = historyOf(GAPS_OF_MONTHS, activities(AT_ONCE), activities(AT_ONCE), changes(AT_ONCE));
    fc.assert(
      fc.property(history, (steps) => {
        const { browser } = History.runChecked(steps, UNLIKE);
        browser.endDue();
        expect(namedRows(browser.rows)).toEqual(expectedRows(steps, UNLIKE));
      }),
      { numRuns: RUNS },
    );
  });

  test("while nobody sets a clock, sessions keep apart and hold no gap over the time-out, however late activity is", () => {
    const history = historyOf(
      GAPS_OF_HOURS,
      activities(LATE),
      activities(LATE),
      changes(LATE),
      LOOKS,
      REPEATS,
    );
    fc.assert(
      fc.property(history, (steps) => {
        const { browser } = History.runChecked(steps, ALIKE);
        const spans = [...sessionsOf(browser.rows).values()].map((rows) => {
          const times = rows
            .filter(isActivity)
            .map(timeOf)
            .toSorted((a, b) => a - b);
          const first = times[0] ?? Number.NaN;
          const last = times.at(-1) ?? Number.NaN;
          const start = rows.find(({ id }) => id.startsWith("s-"))!;
          const end = rows.find(({ id }) => id.startsWith("e-"));
          expect(timeOf(start)).toBe(first);
          times.forEach((time, index) => expect(time - (times[index - 1] ?? time)).toBeLessThan(30 * MINUTE));
          const endedAt = end ? timeOf(end) : Infinity;
          expect(endedAt).toBeGreaterThanOrEqual(last);
          expect(end ? endedAt - last : 0).toBeLessThanOrEqual(30 * MINUTE);
          return { first, endedAt };
        });
        spans
          .toSorted((a, b) => a.first - b.first || a.endedAt - b.endedAt)
          .forEach(({ first }, index, all) =>
            expect(first).toBeGreaterThanOrEqual(all[index - 1]?.endedAt ?? -Infinity),
          );
      }),
      { numRuns: RUNS },
    );
  });

  test("late activity is the profile's of its own time, whoever is selected when it arrives", () => {
    // Never two things in one millisecond: whose it is would be a matter of taste.
    const apart = GAPS_OF_HOURS.map((ms) => ms + 1);
    const history = historyOf(apart, activities(LATE), activities(LATE), changes(AT_ONCE), LOOKS);
    fc.assert(
      fc.property(history, (steps) => {
        const { browser, truth, calledAt } = History.runChecked(steps, ALIKE);
        const visitorOf = new Map<number, Set<string>>();
        for (const row of browser.rows) {
          const at = timeOf(row);
          if (!isActivity(row)) continue;
          const early = at - (calledAt.get(row.id) ?? Number.NaN);
          expect(early).toBeGreaterThanOrEqual(0);
          expect(early).toBeLessThanOrEqual(10 * SECOND);
          const index = truth.findLastIndex(({ from }) => from <= at);
          const [present, next] = [truth[index]?.session, truth[index + 1]?.session].map(
            (session): Profile | null => (session ? { kind: session.kind, id: session.personId } : null),
          );
          const allowed =
            row.type === "person.update" ? [present, next] : [present ?? visitorOr(next, row.profile)];
          expect(allowed).toContainEqual(row.profile);
          if (!present && row.type === "event") {
            visitorOf.set(index, (visitorOf.get(index) ?? new Set()).add(row.profile.id));
          }
        }
        // One visitor, or who took its place, for each time without a person; none for two of them.
        const visitors = [...visitorOf.values()].flatMap((ids) =>
          [...ids].filter((id) => id.includes("-4000-")),
        );
        expect(new Set(visitors).size).toBe(visitors.length);
        for (const ids of visitorOf.values()) expect(ids.size).toBe(1);
      }),
      { numRuns: RUNS },
    );
  });

  test("when every tab has reported all, Live Chat's last session is selected, and none was ever selected twice", () => {
    const history = historyOf(GAPS_OF_HOURS, activities(LATE), changes(LATE), changes(LATE), REPEATS);
    fc.assert(
      fc.property(history, (steps) => {
        const { browser, current, inForce, truth } = History.runChecked(steps, ALIKE);
        const { profile } = browser;
        const person = current && { kind: current.kind, id: current.personId };
        expect(profile?.kind === "visitor" ? null : profile).toEqual(person);
        const people = inForce.filter((key) => key !== "nobody");
        expect(new Set(people).size).toBe(people.length);
        expect(people.length).toBeLessThan(truth.length);
      }),
      { numRuns: RUNS },
    );
  });
});
