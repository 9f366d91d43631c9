import { randomUUID } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Operation } from "../../../src/protocol/wire.js";
import { HOUR, MINUTE, SECOND } from "../../../src/protocol/wire.js";
import { merge, pageView, sessionEnded } from "../support/operations.js";
import { onEachDriver, sharedService, START, type Subject } from "../support/start-service.js";

const at = (step: number): number => START - HOUR + step * 10 * SECOND;

/** The history of a visitor, and then that of a lead, which starts with the merge. */
const makeHistory = async (subject: Subject) => {
  const [visitor, lead] = [await subject.visitor(), await subject.lead()];
  const asVisitor = Array.from({ length: 8 }, (_, step) =>
    pageView(at(step), { sessionId: step < 5 ? "a" : "b" }),
  );
  asVisitor.splice(5, 0, sessionEnded(at(4) + 1, { sessionId: "a" }));
  const asLead = [
    merge(at(8), visitor),
    ...Array.from({ length: 6 }, (_, step) => pageView(at(9 + step), { sessionId: "b" })),
    sessionEnded(at(15), { sessionId: "b" }),
  ];
  return { visitor, lead, asVisitor, asLead };
};

/** Sends a profile's operations in batches, each one or more times, the next after the first response. */
const sending = (length: number) =>
  fc.array(fc.record({ size: fc.integer({ min: 1, max: length }), times: fc.integer({ min: 1, max: 2 }) }), {
    minLength: length,
    maxLength: length,
  });
const cut = (operations: Operation[], cuts: { size: number; times: number }[]): Operation[][] => {
  const batches: Operation[][] = [];
  let from = 0;
  for (const { size, times } of cuts) {
    const batch = operations.slice(from, from + size);
    from += size;
    if (batch.length) batches.push(...Array.from({ length: times }, () => batch));
  }
  return batches;
};

describe("timelines", () => {
  onEachDriver((driver) => {
    const shared = sharedService(driver);

    test("however a history is cut, interleaved and sent again, the timeline is the same", async () => {
      const subject = shared();
      await fc.assert(
        fc.asyncProperty(
          sending(9),
          sending(8),
          fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }),
          fc.array(fc.nat({ max: 40 }), { maxLength: 3 }),
          async (visitorCuts, leadCuts, turns, sweeps) => {
            subject.clock.now = START;
            const { visitor, lead, asVisitor, asLead } = await makeHistory(subject);
            const queues = [cut(asVisitor, visitorCuts), cut(asLead, leadCuts)];
            const writes = [visitor.write, lead.write];
            const sent: [string, Operation[]][] = [];
            for (let turn = 0; queues.some(({ length }) => length); turn++) {
              const wanted = turns[turn % turns.length] ? 1 : 0;
              const from = queues[wanted]!.length ? wanted : 1 - wanted;
              const batch = queues[from]!.shift()!;
              sent.push([writes[from]!, batch]);
              if (sweeps.includes(turn)) await subject.service.sweep();
              for (const status of await subject.statuses(writes[from]!, batch))
                expect(status).not.toBe("rejected");
            }
            // Repeats any batch in any order, as after a response that was lost long ago.
            for (const [write, batch] of sent.toReversed())
              for (const status of await subject.statuses(write, batch)) expect(status).toBe("duplicate");
            const expected = [...asVisitor, ...asLead.slice(1)].toSorted((a, b) =>
              a.occurredAt.localeCompare(b.occurredAt),
            );
            const timeline = await subject.timeline(lead.person.id);
            expect(timeline.map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
          },
        ),
        { numRuns: 25 },
      );
    });

    test("a wrong clock and slow requests change neither order nor number", async () => {
      const subject = shared();
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: -72, max: 72 }),
          fc.array(fc.integer({ min: 0, max: 20 * SECOND }), { minLength: 4, maxLength: 4 }),
          fc.boolean(),
          async (hours, delays, leadFirst) => {
            subject.clock.now = START;
            const skewMs = hours * HOUR + 3 * MINUTE;
            const visitor = { id: randomUUID() };
            const write = await subject.register({ kind: "visitor", ...visitor });
            const lead = await subject.lead();
            const mine = [1, 2, 3].map((step) => pageView(START + skewMs - HOUR + step));
            const theirs = [
              merge(START + skewMs - HOUR + 4, { ...visitor, write }),
              pageView(START + skewMs),
            ];
            const send = async (to: string, operations: Operation[], delay: number) => {
              const sentAt = subject.clock.now + skewMs;
              subject.clock.now += delay;
              for (const status of await subject.statuses(to, operations, { sentAt }))
                expect(status).toBe("accepted");
            };
            const steps = [
              () => send(write, mine.slice(0, 1), delays[0]!),
              () => send(write, mine.slice(1), delays[1]!),
            ];
            if (leadFirst) steps.unshift(() => send(lead.write, theirs, delays[2]!));
            else steps.push(() => send(lead.write, theirs, delays[3]!));
            for (const step of steps) await step();
            expect(await subject.timeline(lead.person.id)).toHaveLength(4);
          },
        ),
        { numRuns: 25 },
      );
    });
  });
});
