/** Operations whose response was lost, repeated unchanged for months by a device with an arbitrary clock. */
import { describe, expect, test } from "vitest";
import { DAY, HOUR, MINUTE, type Operation } from "../../../src/protocol/wire.js";
import { append, merge, pageView, update } from "../support/operations.js";
import {
  iso,
  onEachDriver,
  sharedService,
  START,
  type LiveChat,
  type Subject,
} from "../support/start-service.js";

const YEAR = 365 * DAY;
const AT_2020 = Date.parse("2020-01-01T00:00:00.000Z");
const DAYS = [0, 20, 32, 64, 400];

/** Returns the results of the same operations on each of the days, with a sweep in between. */
async function sendOnEachDay(
  subject: Subject,
  { person, token }: LiveChat,
  operations: readonly Operation[],
  clock: (day: number) => number,
): Promise<(string | undefined)[][]> {
  const answers = [];
  for (const day of DAYS) {
    subject.clock.now = START + day * DAY;
    await subject.service.sweep();
    const write = await subject.register(person, token);
    answers.push(await subject.statuses(write, operations, { sentAt: clock(day) }));
  }
  return answers;
}

const once = (count: number) => [
  Array.from({ length: count }, () => "accepted"),
  ...DAYS.slice(1).map(() => Array.from({ length: count }, () => "duplicate")),
];

describe("exactly once", () => {
  onEachDriver((driver) => {
    const shared = sharedService(driver);

    test.each<[string, operationAt: number, clock: (day: number) => number]>([
      ["is right", START - MINUTE, (day) => START + day * DAY],
      ["is six years behind", START - MINUTE - 6 * YEAR, (day) => START + day * DAY - 6 * YEAR],
      ["is an hour ahead", START + 59 * MINUTE, (day) => START + day * DAY + HOUR],
      ["falls back to 2020 at each start", AT_2020 + MINUTE, () => AT_2020 + 2 * MINUTE],
      [
        "is right at first and falls back to 2020 later",
        START - MINUTE,
        (day) => (day ? AT_2020 + 2 * MINUTE : START),
      ],
      [
        "is right at first and 31 days behind later",
        START - MINUTE,
        (day) => START + Math.max(day - 31, 0) * DAY,
      ],
      ["stands still", START - MINUTE, () => START],
      [
        "is a year ahead at first and right later",
        START + YEAR,
        (day) => START + day * DAY + (day ? 0 : YEAR),
      ],
      ["is in 2020 at first and right later", AT_2020, (day) => (day ? START + day * DAY : AT_2020 + MINUTE)],
      [
        "is a minute ahead at first and falls back later",
        START + MINUTE,
        (day) => (day ? AT_2020 : START + MINUTE),
      ],
    ])("an event is applied once by a device whose clock %s", async (_, operationAt, clock) => {
      const subject = shared();
      const lead = await subject.lead();
      const views = [pageView(operationAt), pageView(operationAt)];
      expect(await sendOnEachDay(subject, lead, views, clock)).toEqual(once(2));
      const told = (await subject.timeline(lead.person.id)).filter(
        (entry) => entry.definitionId === "pageView",
      );
      expect(told.map(({ id }) => id)).toEqual(views.map(({ id }) => id));
    });

    test("accepts a new event in a batch with a duplicate, on every day", async () => {
      const subject = shared();
      const lead = await subject.lead();
      const view = pageView(AT_2020 + MINUTE);
      for (const day of DAYS) {
        subject.clock.now = START + day * DAY;
        await subject.service.sweep();
        const write = await subject.register(lead.person, lead.token);
        expect(
          await subject.statuses(write, [view, pageView(AT_2020 + MINUTE)], { sentAt: AT_2020 + HOUR }),
        ).toEqual([day ? "duplicate" : "accepted", "accepted"]);
      }
    });

    test("treats a repeated update, list item or merge as a duplicate", async () => {
      const subject = shared();
      const [lead, visitor] = [await subject.lead(), await subject.visitor()];
      const operations = [
        update(START, { tags: ["a"] }),
        append(START, "cars", { name: "Mercedes" }),
        merge(START, visitor),
      ];
      const answers = await sendOnEachDay(subject, lead, operations, (day) => (day ? AT_2020 : START));
      expect(answers).toEqual(once(3));
      expect(await subject.person(lead.person.id)).toMatchObject({
        customAttributes: { cars: [{ name: "Mercedes" }] },
      });
    });

    test("treats a repeated operation of a visitor as a duplicate after the merge, too", async () => {
      const subject = shared();
      const [lead, visitor] = [await subject.lead(), await subject.visitor()];
      const views = [pageView(START - MINUTE), pageView(START - MINUTE)];
      await subject.send(visitor.write, [views[0]!]);
      await subject.send(visitor.write, [views[1]!], { sentAt: AT_2020 });
      await subject.send(lead.write, [merge(START, visitor)]);
      for (const day of [1, 40]) {
        subject.clock.now = START + day * DAY;
        await subject.service.sweep();
        const write = await subject.register({ kind: "visitor", id: visitor.id });
        const sentAt = AT_2020;
        expect(await subject.statuses(write, views, { sentAt })).toEqual(["duplicate", "duplicate"]);
      }
    });

    test("rejects an operation that is too old and was never applied", async () => {
      const subject = shared();
      const lead = await subject.lead();
      await subject.send(lead.write, [pageView(START)]);
      subject.clock.now = START + 40 * DAY;
      const write = await subject.register(lead.person, lead.token);
      const [result] = await subject.send(write, [pageView(START)]);
      expect(result?.error?.name).toBe("OperationTooOldError");
      expect(iso(START)).toBe((await subject.timeline(lead.person.id))[0]?.occurredAt);
    });
  });
});
