/** Events wait a little for company; what somebody waits for does not. */
import { describe, expect, test } from "vitest";
import { LEASE_MS } from "../../../../src/core/delivery/lease.js";
import { BATCH_OPERATIONS } from "../../../../src/core/delivery/batch.js";
import { SECOND } from "../../../../src/protocol/wire.js";
import { UNREACHABLE } from "../../../support/service-requests.js";
import type { TestHost } from "../../../support/world.js";
import { World } from "../../../support/world.js";

const DELAY_MS = 1 * SECOND;
const LOCKS: [how: string, locks: boolean][] = [
  ["with locks", true],
  ["without locks", false],
];

const calm = async (options?: ConstructorParameters<typeof World>[0]) => {
  const all = await World.withHost(options);
  await all.world.time.advance(10 * SECOND);
  all.service.requests.length = 0;
  return all;
};

const track = (host: TestHost, count = 1, deliveryDelayMs = DELAY_MS) =>
  host.world.time.wait(host.submitEvents(count, `${host.id}-page`, { deliveryDelayMs }));

const batchesOf = (world: World): number[] =>
  world.service.requestsTo("batches").map(({ ids }) => ids.length);

describe("a burst of events", () => {
  test("goes as one batch, once its first event has waited for the delay", async () => {
    const { world, host } = await calm();
    for (let n = 0; n < 10; n++) {
      await track(host);
      await world.time.advance(99);
    }
    expect(batchesOf(world)).toEqual([]);
    await world.time.advance(20);
    expect(batchesOf(world)).toEqual([10]);
  });

  test("that follows another has a delay of its own, also where its first event came while that was on its way", async () => {
    const { world, host, service } = await calm();
    service.script("batches", { kind: "slow", delayMs: 300 });
    await track(host, 3);
    await world.time.advance(DELAY_MS + 100);
    await track(host, 2);
    await world.time.advance(DELAY_MS - 10);
    expect(batchesOf(world)).toEqual([3]);
    await world.time.advance(20);
    expect(batchesOf(world)).toEqual([3, 2]);
  });

  test("takes along what came while nothing could be sent", async () => {
    const { world, host, service } = await calm();
    service.fault = () => UNREACHABLE;
    await track(host, 2);
    await world.time.until(async () => (await world.record()).delivery.failures > 2);
    await track(host, 1);
    service.fault = () => undefined;
    await world.drained();
    expect(batchesOf(world).at(-1)).toBe(3);
  });

  test("is as early as the shortest delay in it", async () => {
    const { world, host } = await calm();
    await track(host, 1, 10 * SECOND);
    await track(host, 1, 100);
    await world.time.advance(110);
    expect(batchesOf(world)).toEqual([2]);
  });

  test("does not wait where the delay is 0", async () => {
    const { world, host } = await calm();
    await track(host, 1, 0);
    await world.time.advance(10);
    expect(batchesOf(world)).toEqual([1]);
  });

  test("does not wait for a time that the clock, once set back, may not reach for hours", async () => {
    const { world, host } = await calm();
    await track(host);
    world.clockOffsetMs -= 3_600 * SECOND;
    await track(host);
    await world.time.advance(2 * DELAY_MS);
    expect(await world.waiting()).toEqual([]);
  });

  test.each<[string, (host: TestHost) => Promise<unknown>]>([
    ["a merge", (host) => host.liveChat({ id: "chat", kind: "lead", personId: "anna", token: "t" })],
    ["a flush", (host) => host.tracker.flush(SECOND)],
    ["a whole batch", (host) => host.submitEvents(BATCH_OPERATIONS, "many", { deliveryDelayMs: DELAY_MS })],
    ["word of being online", (host) => host.tracker.signal("online")],
    ["the last page's leaving", (host) => host.tracker.setInBackground(true)],
    ["another host's start", (host) => host.world.host()],
  ])("goes at once with %s", async (_, urge) => {
    const { world, host, service } = await calm();
    await track(host, 3);
    await world.time.wait(urge(host));
    await world.time.advance(10);
    expect(service.requestsTo("batches").flatMap(({ ids }) => ids)).toContain("host-1-page-4");
    expect(await world.waiting()).toEqual([]);
  });

  test("of a lead goes at once with an update of the person", async () => {
    const { world, host } = await calm();
    await world.time.wait(host.liveChat({ id: "chat", kind: "lead", personId: "anna", token: "t" }));
    await world.drained();
    await track(host);
    const [sent] = [batchesOf(world).length];
    const { n, at } = host.event("person-page");
    const common = { at, generation: 0, maxWaiting: 1_000 };
    await world.time.wait(
      host.tracker.submit("person-page", [
        { type: "updatePerson", n, person: { firstName: "Semi" }, ...common },
      ]),
    );
    await world.time.advance(10);
    expect(batchesOf(world).slice(sent)).toEqual([2]);
  });

  test("waits for nobody while no page of the host is seen", async () => {
    const { world, host } = await calm();
    await host.tracker.setInBackground(true);
    await track(host);
    await world.time.advance(10);
    expect(batchesOf(world)).toEqual([1]);
    await host.tracker.setInBackground(false);
    await track(host);
    await world.time.advance(10);
    expect(batchesOf(world)).toEqual([1]);
  });

  test("leaves with its host's last page, although its calls were still on their way to the disk", async () => {
    const { world, host } = await calm({ storeDelayMs: 50 });
    const stored = host.submitEvents(1, "page", { deliveryDelayMs: DELAY_MS });
    await world.time.wait(host.tracker.setInBackground(true));
    await stored;
    await world.time.advance(400);
    expect(batchesOf(world)).toEqual([1]);
  });

  test("shows as idle, not as retrying, while it waits", async () => {
    const { host } = await calm();
    await track(host);
    expect(await host.state()).toMatchObject({ outbox: { waiting: 1 }, delivery: { status: "idle" } });
  });
});

describe("the lease of a burst", () => {
  test("costs a host that is alone no transaction: one stores, one reads, one settles", async () => {
    const { world, host } = await calm();
    world.commits = world.reads = 0;
    await track(host);
    await world.time.advance(2 * DELAY_MS);
    expect(batchesOf(world)).toEqual([1]);
    expect({ commits: world.commits, reads: world.reads }).toEqual({ commits: 2, reads: 1 });
    for (let n = 0; n < 50; n++) {
      await track(host);
      await world.time.advance(20);
    }
    await world.drained();
    const batches = batchesOf(world).length;
    expect(batches).toBe(2);
    expect({ commits: world.commits, reads: world.reads }).toEqual({ commits: 51 + batches, reads: batches });
  });

  test("is taken away by a host that has to send earlier, and nothing is sent twice", async () => {
    const { world, host } = await calm();
    const second = await world.host();
    await track(host, 2, 10 * SECOND);
    expect((await world.record()).lease).toMatchObject({ holder: host.id });
    await world.time.wait(second.liveChat({ id: "chat", kind: "lead", personId: "anna", token: "t" }));
    await world.time.advance(500);
    expect(await world.waiting()).toEqual([]);
    await world.time.advance(20 * SECOND);
    const ids = world.service.requestsTo("batches").flatMap((request) => request.ids);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test.each(LOCKS)("of a host that died is followed by another host's, %s", async (_, locks) => {
    const { world, host } = await calm({ locks });
    const second = await world.host();
    await world.drained();
    await track(host);
    await track(second);
    host.die();
    await world.time.advance(DELAY_MS + (locks ? 2 * SECOND : LEASE_MS + 2 * SECOND));
    expect(await world.waiting()).toEqual([]);
  });

  test.each(LOCKS)(
    "of a host that was killed holds up the next one's start by nothing, %s",
    async (_, locks) => {
      const { world, host } = await calm({ locks });
      await track(host);
      host.die();
      await world.host();
      await world.time.advance(100);
      expect(await world.waiting()).toEqual([]);
    },
  );

  test.each(LOCKS)("that another host has taken lets its first holder send nothing, %s", async (_, locks) => {
    const { world, host } = await calm({ locks });
    await track(host);
    const { lease } = await world.record();
    expect(lease?.holder).toBe(host.id);
    await world.store.commit({}, ({ record }) => ({
      change: { record: { ...record, lease: { ...lease!, holder: "another", startsAt: world.now() } } },
      result: null,
    }));
    await world.time.advance(DELAY_MS + 500);
    expect(world.service.requestsTo("batches")).toEqual([]);
  });

  test("is not kept from a host by a suspended one that holds the lock", async () => {
    const { world, host } = await calm();
    const second = await world.host();
    await world.drained();
    world.lockHolder = { host: second, hold: {} };
    second.freeze();
    for (let n = 0; n < 30; n++) {
      await track(host);
      await world.time.advance(700);
    }
    await world.time.advance(DELAY_MS);
    expect(batchesOf(world).length).toBeGreaterThan(1);
  });
});
