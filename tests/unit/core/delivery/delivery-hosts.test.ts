/** Several hosts on one store: one sender at a time, and none that must stay alive. */
import { describe, expect, test, vi } from "vitest";
import { MINUTE, SECOND } from "../../../../src/protocol/wire.js";
import { LEASE_MS, RENEWAL_MS } from "../../../../src/core/delivery/lease.js";
import type { TrackerRecord } from "../../../../src/core/tracker-record.js";
import { UNREACHABLE } from "../../../support/service-requests.js";
import type { TestHost } from "../../../support/world.js";
import { World } from "../../../support/world.js";

const LOCKS: [string, boolean][] = [
  ["with locks", true],
  ["without locks", false],
];

/** Two hosts, the first of them (whichever that is) in the middle of a request that will not be answered. */
const sendingHosts = async (locks: boolean) => {
  const { world, host, service } = await World.withHost({ locks });
  const second = await world.host();
  await world.drained();
  service.script("batches", { kind: "silent" });
  void host.submitEvents(3);
  await world.time.until(() => service.requestsTo("batches").some(({ ids }) => ids.length === 3));
  const isFirst = service.requests.at(-1)?.host === host.id;
  const [sender, other] = isFirst ? [host, second] : [second, host];
  return { world, sender, other, service, startedAt: world.time.now };
};

describe("the lease and the lock", () => {
  test.each(LOCKS)("one host sends at a time %s, though all are woken", async (_, locks) => {
    const { world, host, service } = await World.withHost({ locks, networkDelayMs: 50 });
    const others = [await world.host(), await world.host()];
    for (const one of [host, ...others]) void one.submitEvents(1_000);
    await world.drained();
    const sent = service.requestsTo("batches").flatMap(({ ids }) => ids);
    expect(new Set(sent).size).toBe(sent.length);
  });

  test.each(LOCKS)("hosts that wait for another one's turn %s do not wake each other", async (_, locks) => {
    const { world, other } = await sendingHosts(locks);
    const third = await world.host();
    await world.time.wait(Promise.all([other.tracker.signal("visible"), third.tracker.signal("visible")]));
    world.reads = 0;
    world.commits = 0;
    await world.time.advance(10 * SECOND);
    expect(world.reads + world.commits).toBeLessThan(60);
  });

  test("a lock whose holder is dead is free at once, and its lease counts no more", async () => {
    const { world, sender, other, service, startedAt } = await sendingHosts(true);
    sender.die();
    await other.track();
    await world.drained(5 * SECOND);
    expect(world.time.now - startedAt).toBeLessThan(LEASE_MS);
    expect(new Set(service.appliedIds()).size).toBe(service.applied.length);
  });

  test("without locks, a dead holder's lease ends after its time", async () => {
    const { world, sender, other, startedAt } = await sendingHosts(false);
    sender.die();
    await other.track();
    await world.drained(2 * MINUTE);
    expect(world.time.now - startedAt).toBeGreaterThanOrEqual(LEASE_MS);
    expect(world.time.now - startedAt).toBeLessThan(LEASE_MS + 5 * SECOND);
  });

  test.each(LOCKS)("a host %s waits for the lease of one of the other kind", async (_, locks) => {
    const { world, host, service } = await World.withHost({ locks });
    service.script("batches", { kind: "silent" });
    await host.track();
    await world.time.until(() => service.requestsTo("batches").length === 1);
    world.options.locks = !locks;
    const other = await world.host();
    await other.track();
    await world.time.advance(2 * LEASE_MS);
    expect(service.requestsTo("batches")).toHaveLength(1);
    host.die();
    await world.drained(LEASE_MS + 2 * SECOND);
  });

  test("a lock that outlives its lease is stolen", async () => {
    const { world, sender, other, startedAt } = await sendingHosts(true);
    sender.freeze();
    await other.track();
    await world.drained(2 * MINUTE);
    expect(world.time.now - startedAt).toBeGreaterThanOrEqual(LEASE_MS);
  });

  test("a lock that was just taken is not stolen because a predecessor's lease has expired", async () => {
    const { world, host } = await World.withHost();
    const second = await world.host();
    await world.drained();
    const lease = { holder: "gone", takenAt: world.now() - 2 * LEASE_MS, expiresAt: world.now() - LEASE_MS };
    await world.store.commit({}, ({ record }) => ({
      change: { record: { ...record, lease } },
      result: null,
    }));
    world.lockHolder = { host, hold: {} };
    await second.track();
    await world.time.advance(3 * SECOND);
    expect(world.lockHolder.host).toBe(host);
  });

  test("a host whose lock was stolen before it took the lease takes it from nobody", async () => {
    const { world, host, service } = await World.withHost();
    const second = await world.host();
    await world.drained();
    await world.time.until(() => world.lockHolder === null);
    void host.submitEvents(1);
    await world.time.until(() => world.lockHolder !== null);
    world.clockOffsetMs += 2 * MINUTE;
    world.lockHolder = { host: second, hold: {} };
    const lease = { holder: "thief", takenAt: world.now(), expiresAt: world.now() + LEASE_MS };
    await world.store.commit({}, ({ record }) => ({
      change: { record: { ...record, lease } },
      result: null,
    }));
    await world.time.advance(LEASE_MS - 1 * SECOND);
    expect((await world.record()).lease).toEqual(lease);
    expect(service.requests).toEqual([]);
  });

  test("a host keeps the lease of a live holder whose lock it stole", async () => {
    const { world, host, service } = await World.withHost();
    await world.drained();
    await world.time.until(() => world.lockHolder === null);
    void host.submitEvents(1);
    await world.time.until(() => world.lockHolder !== null);
    world.clockOffsetMs += 2 * MINUTE;
    const robbed = { holder: "robbed", takenAt: world.now(), expiresAt: world.now() + LEASE_MS };
    await world.store.commit({}, ({ record }) => ({
      change: { record: { ...record, lease: { ...robbed, underLock: true } } },
      result: null,
    }));
    await world.time.advance(LEASE_MS - 1 * SECOND);
    expect((await world.record()).lease).toEqual(robbed);
    expect(service.requests).toEqual([]);
    await world.drained();
  });

  test("a host that was locked out long ago waits anew before it steals", async () => {
    const { world, host } = await World.withHost();
    const second = await world.host();
    await world.drained();
    const expire = () =>
      world.store.commit({}, ({ record }) => {
        const lease = {
          holder: "gone",
          takenAt: world.now() - 2 * LEASE_MS,
          expiresAt: world.now() - LEASE_MS,
        };
        return { change: { record: { ...record, lease } }, result: null };
      });
    for (const pauseMs of [MINUTE, 0]) {
      await expire();
      world.lockHolder = { host, hold: {} };
      await second.track();
      await world.time.advance(3 * SECOND);
      expect(world.lockHolder.host).toBe(host);
      world.lockHolder = null;
      await world.drained();
      await world.time.advance(pauseMs);
    }
  });

  test("a lock whose holder froze before it took the lease is stolen too", async () => {
    const { world, host, service } = await World.withHost();
    const second = await world.host();
    await world.drained();
    const appliedBefore = service.applied.length;
    world.lockHolder = { host, hold: {} };
    host.freeze();
    await second.track();
    await world.drained(2 * MINUTE);
    expect(service.applied.length).toBe(appliedBefore + 1);
    expect(world.lockHolder?.host).not.toBe(host);
  });

  test("a lease that was taken in a future that the clock no longer knows counts as free", async () => {
    const { world, sender, other } = await sendingHosts(false);
    sender.die();
    world.clockOffsetMs = -24 * 60 * MINUTE;
    await other.track();
    await world.drained(5 * SECOND);
    expect(await world.waiting()).toEqual([]);
  });
});

/** Changes the record while a host sleeps that has its lease, and has just read what to send. */
const wakeAfter = async (locks: boolean, change: (record: TrackerRecord, now: number) => TrackerRecord) => {
  const { world, host, service } = await World.withHost({ locks });
  const { store } = world;
  const readWaiting = store.readWaiting.bind(store);
  const asleep = vi.spyOn(store, "readWaiting").mockImplementationOnce(async (...asked) => {
    const rows = await readWaiting(...asked);
    world.clockOffsetMs += LEASE_MS;
    await store.commit({}, ({ record }) => ({
      change: { record: change(record, world.now()) },
      result: null,
    }));
    return rows;
  });
  await host.track();
  await world.time.advance(LEASE_MS - 1 * SECOND);
  expect(asleep).toHaveBeenCalled();
  return { world, sent: () => service.requestsTo("batches") };
};

describe("a sender that lost its lease or froze", () => {
  test("a sender whose lease was taken over while its answer was on its way settles what was named, and nothing twice", async () => {
    const { world, host, service } = await World.withHost({ locks: false });
    const second = await world.host();
    service.script("batches", { kind: "slow", delayMs: 20 * SECOND });
    await host.track(3);
    await world.time.until(() => service.requestsTo("batches").length === 1);
    await world.store.commit({}, ({ record }) => ({
      change: { record: { ...record, lease: null } },
      result: null,
    }));
    await second.track(2);
    await world.drained(1 * MINUTE);
    await world.time.advance(1 * MINUTE);
    const { lanes } = await world.record();
    expect(lanes.map(({ waiting, rejected }) => [waiting, rejected])).toEqual([[0, 0]]);
    expect(service.appliedIds()).toEqual([...world.accepted.keys()].slice(0, service.applied.length));
  });

  test("a sender that lost its lease does not renew it, does not change the back-off, and sends nothing more", async () => {
    const { world, sender, service } = await sendingHosts(false);
    const lease = { holder: "another", takenAt: world.now(), expiresAt: world.now() + LEASE_MS };
    await world.store.commit({}, ({ record }) => ({
      change: { record: { ...record, lease } },
      result: null,
    }));
    await world.time.advance(2 * RENEWAL_MS);
    expect((await world.record()).lease).toEqual(lease);
    await world.time.advance(40 * SECOND);
    expect((await world.record()).delivery.failures).toBe(0);
    expect(service.requestsTo("batches").filter(({ host }) => host === sender.id)).toHaveLength(1);
    await world.drained(5 * MINUTE);
  });

  test("the lease is renewed before each request and while it is under way, so that slow ones never outlive it", async () => {
    const world = new World({ locks: false });
    const host = await world.host();
    world.service.fault = () => ({ kind: "slow", delayMs: 29 * SECOND });
    await host.init();
    await world.time.wait(host.liveChat({ id: "chat", kind: "lead", personId: "anna", token: "t" }));
    const second = await world.host();
    await world.time.wait(host.submitEvents(1_200));
    await second.track();
    await world.drained();
    const senders = world.service.requestsTo("batches").map(({ host }) => host);
    expect(senders.length).toBeGreaterThan(2);
    expect(
      senders.filter((host, index) => index > 0 && host !== senders[index - 1]).length,
    ).toBeLessThanOrEqual(1);
  });

  test.each(LOCKS)("a request that is answered soon costs no renewal %s", async (_, locks) => {
    const commits: number[] = [];
    for (const delayMs of [0, RENEWAL_MS - 100, RENEWAL_MS + 100]) {
      const { world, host, service } = await World.withHost({ locks });
      service.script("batches", { kind: "slow", delayMs });
      world.commits = 0;
      await host.track();
      await world.drained();
      commits.push(world.commits);
    }
    const [atOnce = 0, soon, late] = commits;
    expect([soon, late]).toEqual([atOnce, atOnce + 1]);
  });

  test("without locks, who wakes with an expired lease sends nothing while another does", async () => {
    const { sent } = await wakeAfter(false, (record, now) => ({
      ...record,
      lease: { holder: "another", takenAt: now, expiresAt: now + LEASE_MS },
    }));
    expect(sent()).toEqual([]);
  });

  test.each(LOCKS)("who wakes with an expired lease sends nothing %s after an opt-out", async (_, locks) => {
    const { sent } = await wakeAfter(locks, (record) => ({ ...record, consent: "out" }));
    expect(sent()).toEqual([]);
  });

  test.each(LOCKS)(
    "who wakes with an expired lease that nobody took renews it %s, and sends",
    async (_, locks) => {
      const { world, sent } = await wakeAfter(locks, (record) => record);
      await world.drained();
      expect(sent()).toHaveLength(1);
    },
  );

  test.each<[string, (world: World, other: TestHost) => Promise<unknown>]>([
    ["opts out", (_, other) => other.tracker.setConsent("out")],
    ["erases all", (_, other) => other.tracker.erase()],
    [
      "hears Retry-After",
      async (world) => {
        const retryAfter = { receivedAt: world.now(), endsAt: world.now() + MINUTE };
        await world.store.commit({}, ({ record }) => ({
          change: { record: { ...record, delivery: { ...record.delivery, retryAfter } } },
          result: null,
        }));
      },
    ],
  ])(
    "who is frozen for a moment before it reads what to send, while somebody %s, sends nothing",
    async (_, change) => {
      const { world, host, service } = await World.withHost();
      const other = await world.host();
      await world.drained();
      const { store } = world;
      const readWaiting = store.readWaiting.bind(store);
      const frozen = vi.spyOn(store, "readWaiting").mockImplementationOnce(async (...asked) => {
        host.listeners.clear();
        await change(world, other);
        return readWaiting(...asked);
      });
      await host.track();
      await world.time.advance(10 * SECOND);
      expect(frozen).toHaveBeenCalled();
      expect(service.requestsTo("batches")).toEqual([]);
    },
  );
});

describe("hosts that come and go", () => {
  test("what is accepted just as another host finishes does not wait for long", async () => {
    for (let seed = 1; seed <= 60; seed++) {
      const { world, host, service } = await World.withHost({ seed, storeDelayMs: 3, networkDelayMs: 3 });
      const second = await world.host();
      service.requests.length = 0;
      void host.submitEvents(1);
      await world.time.advance(seed % 20);
      await second.track();
      await world.drained(3 * SECOND);
      expect(await world.waiting()).toEqual([]);
    }
  });

  test("closing releases the lease, counts as no failure, and leaves no timer that sends", async () => {
    const { world, sender, other, service } = await sendingHosts(false);
    sender.tracker.close();
    await world.time.advance(10);
    expect((await world.record()).delivery.failures).toBe(0);
    await other.track();
    await world.drained(5 * SECOND);
    const requests = service.requests.filter(({ host }) => host === sender.id).length;
    service.fault = () => UNREACHABLE;
    await other.track();
    await world.time.advance(10 * MINUTE);
    expect(service.requests.filter(({ host }) => host === sender.id)).toHaveLength(requests);
  });

  test("a host alone with a service that is gone and back sends all, once and in order", async () => {
    const { world, host, service } = await World.withHost();
    service.fault = () => UNREACHABLE;
    for (let n = 0; n < 20; n++) {
      await host.track(10);
      await world.time.advance(7 * SECOND);
    }
    service.fault = () => undefined;
    await world.drained(5 * MINUTE);
    expect(service.appliedIds()).toEqual([...world.accepted.keys()]);
  });

  test("what a host stored right before it died is sent by a host that got no notification of it", async () => {
    const { world, host, service } = await World.withHost();
    const second = await world.host();
    await world.drained();
    await world.time.advance(1 * SECOND);
    void host.submitEvents(1);
    await world.time.until(() => world.accepted.has("host-1-page-2"));
    host.die();
    await world.drained(15 * MINUTE + 1);
    expect(service.requests.at(-1)?.host).toBe(second.id);
  });
});
