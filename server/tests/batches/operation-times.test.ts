import { describe, expect, test } from "vitest";
import { DAY, HOUR, MINUTE, SECOND } from "../../../src/protocol/wire.js";
import { pageView } from "../support/operations.js";
import { iso, onEachDriver, sharedService, START } from "../support/start-service.js";

describe("times of operations", () => {
  onEachDriver((driver) => {
    const shared = sharedService(driver);

    test.each([
      ["a right clock is believed", 0, -MINUTE, -MINUTE],
      ["two minutes are no skew", 2 * MINUTE, -MINUTE, -MINUTE],
      ["a clock that is an hour ahead is corrected", HOUR, HOUR - MINUTE, -MINUTE],
      ["a clock that is an hour behind is corrected", -HOUR, -HOUR - MINUTE, -MINUTE],
      ["a corrected time is never past the receipt", -HOUR, -HOUR + MINUTE, 0],
      ["nor is one that needed no correction", MINUTE, MINUTE, 0],
    ])("%s", async (_, sentAfterMs, occurredAfterMs, correctedAfterMs) => {
      const subject = shared();
      const { write, person } = await subject.lead();
      await subject.send(write, [pageView(START + occurredAfterMs)], { sentAt: START + sentAfterMs });
      expect(await subject.timeline(person.id)).toMatchObject([
        {
          occurredAt: iso(START + correctedAfterMs),
          givenAt: iso(START + occurredAfterMs),
          receivedAt: iso(START),
        },
      ]);
    });

    test("operations older than 30 days are refused, by the corrected time", async () => {
      const subject = shared();
      const { write } = await subject.lead();
      const results = await subject.send(write, [pageView(START - 30 * DAY), pageView(START - 30 * DAY - 1)]);
      expect(results.map(({ status, error }) => error?.name ?? status)).toEqual([
        "accepted",
        "OperationTooOldError",
      ]);
      const year = 365 * DAY;
      expect(await subject.statuses(write, [pageView(START - year)], { sentAt: START - year })).toEqual([
        "accepted",
      ]);
    });

    test("a repeated operation is a duplicate whatever its age", async () => {
      const subject = shared();
      const { write, person, token } = await subject.lead();
      const old = pageView(START - 30 * DAY);
      await subject.send(write, [old]);
      subject.clock.now += 20 * SECOND;
      expect(await subject.statuses(write, [old])).toEqual(["duplicate"]);
      subject.clock.now += 400 * DAY;
      await subject.service.sweep();
      expect(await subject.statuses(await subject.register(person, token), [old])).toEqual(["duplicate"]);
    });

    test("ties are in the order of acceptance", async () => {
      const subject = shared();
      const { write, person } = await subject.lead();
      const batches = [0, 1, 2].map(() => Array.from({ length: 30 }, () => pageView(START)));
      for (const batch of batches) await subject.send(write, batch);
      expect((await subject.timeline(person.id)).map(({ id }) => id)).toEqual(
        batches.flat().map(({ id }) => id),
      );
    });
  });
});
