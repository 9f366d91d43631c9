/** The next batch is read while one is on its way: that must not change what is sent, nor in which order. */
import { describe, expect, test } from "vitest";
import { SECOND } from "../../../../src/protocol/wire.js";
import type { Fault } from "../../../support/service-requests.js";
import { UNREACHABLE, answering } from "../../../support/service-requests.js";
import { World } from "../../../support/world.js";

const BATCH = 500;

const FAULTS: (Fault | undefined)[] = [
  undefined,
  undefined,
  undefined,
  { kind: "half", named: 7 },
  { kind: "lost" },
  { kind: "slow", delayMs: 300 },
  UNREACHABLE,
  answering(413),
  answering(503),
];

describe("reading ahead", () => {
  test("the next batch is read while one is on its way, and each row once", async () => {
    const { world, host, service } = await World.withHost();
    let rowsRead = 0;
    const readWaiting = world.store.readWaiting.bind(world.store);
    world.store.readWaiting = async (...query) => {
      const waiting = await readWaiting(...query);
      rowsRead += waiting.rows.length;
      return waiting;
    };
    const readsAtRequest: number[] = [];
    service.fault = () => {
      readsAtRequest.push(world.reads);
      return { kind: "slow", delayMs: 1 * SECOND };
    };
    await world.time.wait(host.submitEvents(4 * BATCH));
    await world.time.until(() => service.requestsTo("batches").length === 1);
    await world.time.advance(500);
    const readMeanwhile = world.reads;
    await world.drained(10 * SECOND);
    // Nothing was read between the first answer and the second request.
    expect(readsAtRequest[1]).toBe(readMeanwhile + 1);
    expect(rowsRead).toBe(4 * BATCH);
    expect(service.appliedIds()).toEqual([...world.accepted.keys()]);
  });

  test("what an answer did not name comes before what was read ahead", async () => {
    const { world, host, service } = await World.withHost();
    service.script("batches", { kind: "half", named: 100 });
    await host.track(3 * BATCH);
    await world.drained(10 * SECOND);
    const [, second] = service.requestsTo("batches");
    expect(second?.ids[0]).toBe("host-1-page-102");
  });

  test("of two profiles, the one whose row comes first goes first, whatever could have been read ahead", async () => {
    const { world, host, service } = await World.withHost();
    service.fault = () => UNREACHABLE;
    const at = world.now();
    await world.time.advance(1 * SECOND);
    await host.track(2 * BATCH, "visitor");
    await world.time.wait(host.liveChat({ id: "chat", kind: "lead", personId: "anna", token: "t" }));
    await host.track(BATCH, "lead");
    await world.time.wait(host.submitEvents(2 * BATCH, "late", { at }));
    service.fault = () => undefined;
    await world.drained();
    const pages = service.appliedIds().map((id) => id.split("-")[0]);
    const order = pages.filter((page, index) => page !== pages[index - 1]);
    expect(order.slice(-4)).toEqual(["visitor", "m", "lead", "late"]);
  });

  test("after an erase nothing is sent that was read before it", async () => {
    const { world, host, service } = await World.withHost();
    service.script("batches", { kind: "slow", delayMs: 1 * SECOND });
    await host.track(3 * BATCH);
    await world.time.until(() => service.requestsTo("batches").length === 1);
    const other = await world.host();
    await world.time.advance(500);
    await world.time.wait(other.tracker.erase());
    await world.time.advance(60 * SECOND);
    expect(service.requestsTo("batches")).toHaveLength(1);
  });

  test("once somebody opts out, nothing more is sent of what was read ahead", async () => {
    const { world, host, service } = await World.withHost();
    const other = await world.host();
    service.script("batches", { kind: "slow", delayMs: 1 * SECOND });
    await host.track(3 * BATCH);
    await world.time.until(() => service.requestsTo("batches").length === 1);
    await world.time.advance(500);
    await world.time.wait(other.tracker.setConsent("out"));
    await world.time.advance(60 * SECOND);
    expect(service.requestsTo("batches")).toHaveLength(1);
  });

  test.each([1, 2, 3, 4, 5, 6])(
    "thousands of operations of several profiles arrive once and in order, whatever fails (seed %i)",
    async (seed) => {
      const world = new World({ seed, locks: seed % 2 === 0, storeDelayMs: 30, networkDelayMs: 100 });
      const [first, second] = [await world.host(), await world.host()];
      await first.init();
      world.service.fault = ({ route }) =>
        route === "batches" ? FAULTS[world.upTo(FAULTS.length - 1)] : undefined;
      await first.track(1_800, "early");
      await world.time.wait(first.liveChat({ id: "chat", kind: "lead", personId: "anna", token: "t" }));
      await second.track(1_800, "late");
      await world.time.advance(world.upTo(2_000));
      first.die();
      const rows = [...world.accepted.values()];
      await world.drained();
      expect(await world.rejected()).toEqual([]);
      for (const profile of [rows[0]!.profile, rows.at(-1)!.profile]) {
        const accepted = rows.filter((row) => row.profile.id === profile.id).map(({ id }) => id);
        expect(world.service.appliedIds(profile)).toEqual(accepted);
      }
    },
  );
});
