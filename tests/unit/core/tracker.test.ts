/** What a host answers to its pages: init, group commit, consent, erase, rejected operations, state. */
import { describe, expect, test } from "vitest";
import type { LoadView } from "../../../src/protocol/host.js";
import { HOUR, MINUTE, SECOND } from "../../../src/protocol/wire.js";
import { UNREACHABLE, answering } from "../../support/service-requests.js";
import { World } from "../../support/world.js";

const LEAD = { id: "chat", kind: "lead", personId: "anna", token: "t" } as const;

describe("init", () => {
  test("a page waits for one turn of a slow disk until its host has started and knows the service", async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const world = new World({ seed, storeDelayMs: 1 * SECOND });
      const before = world.time.now;
      await world.host();
      expect(world.time.now - before).toBeLessThanOrEqual(1 * SECOND);
    }
  });

  test("init with a good key waits for the service's response and no longer", async () => {
    const world = new World();
    const host = await world.host();
    world.service.script("registrations", { kind: "slow", delayMs: 1 * SECOND });
    const before = world.time.now;
    expect(await host.init()).toEqual({ success: true });
    expect(world.time.now - before).toBe(1 * SECOND);
  });

  test("init waits 2 s for a slow service and is a success, with one registration", async () => {
    const world = new World();
    const host = await world.host();
    world.service.script("registrations", { kind: "slow", delayMs: 10 * SECOND });
    const before = world.time.now;
    expect(await host.init()).toMatchObject({ success: true });
    expect(world.time.now - before).toBe(2 * SECOND);
    await host.track();
    await world.drained(20 * SECOND);
    expect(world.service.requestsTo("registrations")).toHaveLength(1);
  });

  test("init offline is a success", async () => {
    const world = new World();
    const host = await world.host();
    world.service.fault = () => UNREACHABLE;
    expect(await host.init()).toMatchObject({ success: true });
  });

  test("init with a key that the service refuses is 2018, until it is accepted", async () => {
    const world = new World();
    const host = await world.host({ apiKey: "wrong" });
    expect(await host.init()).toMatchObject({
      success: false,
      error: { code: 2018, name: "MissingAuthorizationTokenError", origin: "people-service" },
    });
    expect((await host.state()).delivery).toMatchObject({ status: "stopped", lastError: { code: 2018 } });
    world.service.apiKey = "wrong";
    expect(await host.init()).toMatchObject({ success: true });
  });

  test("init with a Live Chat token that the service refuses is 2018, and what waits for others is sent", async () => {
    const { world, host, service } = await World.withHost();
    service.fault = () => UNREACHABLE;
    await host.track();
    service.fault = () => undefined;
    service.strangers.add("anna");
    await world.time.wait(host.tracker.signal("online"));
    expect(await host.init(LEAD)).toMatchObject({ success: false, error: { code: 2018 } });
    await world.time.advance(1 * MINUTE);
    expect((await world.waiting()).map(({ type }) => type)).toEqual(["profile.merge"]);
  });

  test("init with a profile that is registered waits for nothing", async () => {
    const { world, host, service } = await World.withHost();
    service.fault = () => ({ kind: "silent" });
    const before = world.time.now;
    expect(await host.init()).toMatchObject({ success: true });
    expect(world.time.now).toBe(before);
  });
});

describe("commands, consent and erasing", () => {
  test("what arrives while a transaction runs goes into the next one together", async () => {
    const { world, host, service } = await World.withHost();
    service.fault = () => UNREACHABLE;
    await host.track();
    await world.time.advance(30 * MINUTE - 1 * SECOND);
    world.commits = 0;
    const submitted = Array.from({ length: 200 }, (_, n) => host.submitEvents(1, `page-${n % 50}`));
    await world.time.wait(Promise.all(submitted));
    expect(world.commits).toBeLessThanOrEqual(4);
  });

  test("when the disk fails, commands are refused with the cause, and later ones are stored", async () => {
    const { world, host } = await World.withHost();
    world.storageFails = true;
    const answers = await host.track(2);
    expect(answers).toMatchObject([
      { n: 2, error: { code: 2016, message: expect.stringContaining("the disk is full") } },
      { n: 3, error: { code: 2016 } },
    ]);
    world.storageFails = false;
    expect(await host.track()).toEqual([{ n: 4 }]);
    await world.drained(10 * SECOND);
    expect(world.service.appliedIds()).toContain("host-1-page-4");
  });

  test("opting out cuts a request off in every host, keeps what waits, and counts as no failure", async () => {
    const { world, host, service } = await World.withHost();
    const second = await world.host();
    const isBusy = () => host.transport.isBusy || second.transport.isBusy;
    service.fault = () => ({ kind: "silent" });
    await host.track(2);
    await world.time.until(isBusy);
    const idle = host.transport.isBusy ? second : host;
    await world.time.wait(idle.tracker.setConsent("out"));
    await world.time.advance(10);
    expect(isBusy()).toBe(false);
    expect(await world.waiting()).toHaveLength(2);
    expect((await world.record()).delivery.failures).toBe(0);
    const requests = service.requests.length;
    await world.time.wait(host.tracker.signal("online"));
    await world.time.advance(20 * MINUTE);
    expect(service.requests).toHaveLength(requests);
    expect(await host.track()).toMatchObject([
      { error: { message: expect.stringContaining("tracking is opted out") } },
    ]);
    service.fault = () => undefined;
    await world.time.wait(second.tracker.setConsent("in"));
    await world.drained(2 * SECOND);
    expect(service.appliedIds()).toContain("host-1-page-3");
  });

  test("opted out and in again at once, the request that was cut off is sent again at once", async () => {
    const { world, host, service } = await World.withHost();
    service.script("batches", { kind: "silent" });
    await host.track(2);
    await world.time.until(() => service.requestsTo("batches").length === 1);
    await world.time.wait(host.tracker.setConsent("out").then(() => host.tracker.setConsent("in")));
    await world.drained(10);
    expect(await world.waiting()).toEqual([]);
  });

  test("erased while a request is under way: nothing comes back, nothing fails, and tracking goes on", async () => {
    for (const fault of [{ kind: "silent" }, { kind: "slow", delayMs: 5 }, UNREACHABLE] as const) {
      for (const other of [false, true]) {
        const { world, host, service } = await World.withHost();
        const eraser = other ? await world.host() : host;
        service.script("batches", fault);
        await host.track(3);
        await world.time.until(() => service.requestsTo("batches").length === 1);
        await world.time.wait(eraser.tracker.erase());
        await world.time.advance(1 * MINUTE);
        const record = await world.record();
        expect(record.lanes.map(({ waiting, rejected }) => [waiting, rejected])).toEqual([[0, 0]]);
        expect(record.delivery).toEqual({ failures: 0, refusedAlone: 0 });
        expect(await world.store.inspect({ after: 0, limit: 10 })).toEqual([]);
        const command = { ...host.event("after"), generation: record.generation };
        expect(await world.time.wait(host.tracker.submit("after", [command]))).toEqual([{ n: 1 }]);
        await world.drained(1 * MINUTE);
        expect(service.appliedIds().slice(-1)).toEqual(["after-1"]);
      }
    }
  });
});

/** The page view of a page load that began `ago` ms ago. */
const viewOf = (world: World, pageId: string, ago = 0): LoadView => {
  const limits = { sessionTimeoutMs: 30 * MINUTE, maxWaiting: 100 };
  return { pageId, command: { type: "pageView", n: 1, at: world.now() - ago, ...limits } };
};
const viewsWaiting = async (world: World): Promise<string[]> =>
  (await world.waiting()).map(({ id }) => id).filter((id) => id.endsWith("-1"));

describe("the page view of init", () => {
  test("init of a profile that is known takes the page view along, in one turn of the store", async () => {
    const { world, host, service } = await World.withHost();
    service.fault = () => UNREACHABLE;
    const { commits } = world;
    const asked = host.tracker.attach(host.hello, {
      at: world.now(),
      liveChat: undefined,
      view: viewOf(world, "page"),
    });
    const answer = await world.time.wait(asked);
    expect(answer).toMatchObject({ state: { outbox: { waiting: 1 } }, init: { view: { n: 1 } } });
    expect(world.commits).toBe(commits + 1);
    expect(await viewsWaiting(world)).toEqual(["page-1"]);
  });

  test("a page view that two hosts are sent counts once", async () => {
    const { world, host, service } = await World.withHost();
    service.fault = () => UNREACHABLE;
    const view = viewOf(world, "page");
    const other = await world.host();
    for (const each of [host, other, host]) {
      expect(await each.init(undefined, view)).toEqual({ success: true, view: { n: 1 } });
    }
    expect(await viewsWaiting(world)).toEqual(["page-1"]);
  });

  test("the page view of a new visitor waits for the registration's response, and is not recorded when that is a refusal", async () => {
    const world = new World();
    const host = await world.host({ apiKey: "wrong" });
    const view = viewOf(world, "page");
    expect(await host.init(undefined, view)).toMatchObject({ success: false, error: { code: 2018 } });
    expect(await viewsWaiting(world)).toEqual([]);
    world.service.apiKey = "wrong";
    expect(await host.init(undefined, view)).toEqual({ success: true, view: { n: 1 } });
    await world.drained();
    expect(world.service.appliedIds()).toContain("page-1");
  });

  test("while opted out init records no page view, and the same one counts after that", async () => {
    const { world, host, service } = await World.withHost();
    service.fault = () => UNREACHABLE;
    await world.time.wait(host.tracker.setConsent("out"));
    const view = viewOf(world, "page");
    expect(await host.init(undefined, view)).toEqual({ success: true });
    await world.time.wait(host.tracker.setConsent("in"));
    expect(await host.init(undefined, view)).toEqual({ success: true, view: { n: 1 } });
    expect(await viewsWaiting(world)).toEqual(["page-1"]);
  });

  test("a page view of before an erase is refused, unless the clock was set back since", async () => {
    const { world, host, service } = await World.withHost();
    service.fault = () => UNREACHABLE;
    await world.time.wait(host.tracker.erase());
    expect(await host.init(undefined, viewOf(world, "before", 1))).toMatchObject({
      success: true,
      view: { n: 1, error: { message: expect.stringContaining("erased in the meantime") } },
    });
    world.clockOffsetMs = -1 * HOUR;
    expect(await host.init(undefined, viewOf(world, "set-back"))).toEqual({ success: true, view: { n: 1 } });
    expect(await viewsWaiting(world)).toEqual(["set-back-1"]);
  });
});

describe("erasing while requests are under way", () => {
  test.each([
    ["here", 0],
    ["by another host", 1],
  ])("erased %s while a registration is under way: nothing of it is kept", async (_, eraser) => {
    const world = new World();
    const hosts = [await world.host(), await world.host()];
    world.service.script("registrations", { kind: "slow", delayMs: 1 * SECOND });
    const initialized = hosts[0]!.beginInit();
    await world.time.until(() => world.service.requests.length === 1);
    await world.time.wait(hosts[eraser]!.tracker.erase());
    expect(await world.time.wait(initialized)).toMatchObject({ success: true });
    const { lanes, delivery } = await world.record();
    expect(lanes).toHaveLength(1);
    expect(lanes[0]?.registration).toBeUndefined();
    expect(delivery.failures).toBe(0);
  });

  test("Retry-After still binds after an erase", async () => {
    const { world, host, service } = await World.withHost();
    service.script("batches", answering(429, 429, 1 * HOUR));
    await host.track();
    await world.time.until(async () => (await world.record()).delivery.retryAfter !== undefined);
    await world.time.wait(host.tracker.erase());
    await host.init();
    const { generation } = await world.record();
    const command = { ...host.event("after"), generation };
    expect(await world.time.wait(host.tracker.submit("after", [command]))).toEqual([{ n: 1 }]);
    await world.time.advance(59 * MINUTE);
    expect(service.requests).toHaveLength(1);
  });

  test("Retry-After of a response to a request from before another host's erase binds too", async () => {
    const world = new World({ networkDelayMs: 100 });
    const [host, eraser] = [await world.host(), await world.host()];
    world.service.script("registrations", answering(429, 429, 1 * HOUR));
    const initialized = host.beginInit();
    await world.time.until(() => world.service.requests.length === 1);
    await world.time.wait(eraser.tracker.erase());
    await world.time.wait(initialized);
    expect((await world.record()).delivery).toMatchObject({ failures: 0, retryAfter: {} });
  });
});

describe("rejected operations", () => {
  test("retryRejected sends rejected operations again, all or some; discardRejected lets them go", async () => {
    const { world, host, service } = await World.withHost();
    for (const n of [2, 3, 4, 5]) service.unwelcome.add(`host-1-page-${n}`);
    await host.track(5);
    await world.drained();
    expect((await host.state()).outbox).toEqual({ waiting: 0, rejected: 4 });
    service.unwelcome.clear();
    expect(await world.time.wait(host.tracker.retryRejected(["host-1-page-3", "none"]))).toBe(1);
    await world.drained();
    expect(service.appliedIds()).toContain("host-1-page-3");
    expect(await world.time.wait(host.tracker.discardRejected(["host-1-page-2"]))).toBe(1);
    expect(await world.time.wait(host.tracker.retryRejected())).toBe(2);
    await world.drained();
    expect((await host.state()).outbox).toEqual({ waiting: 0, rejected: 0 });
    expect(service.appliedIds()).not.toContain("host-1-page-2");
    expect(await world.time.wait(host.tracker.retryRejected())).toBe(0);
    expect(await world.time.wait(host.tracker.discardRejected())).toBe(0);
  });

  test("thousands of rejected operations are retried in steps", async () => {
    const { world, host, service } = await World.withHost();
    for (let n = 2; n < 2_502; n++) service.unwelcome.add(`host-1-page-${n}`);
    await world.time.wait(host.submitEvents(2_500));
    await world.drained();
    service.unwelcome.clear();
    expect(await world.time.wait(host.tracker.retryRejected())).toBe(2_500);
    await world.drained();
    expect(service.appliedIds()).toEqual([...world.accepted.keys()]);
  });
});

describe("the state of delivery", () => {
  test("delivery is idle, sending, retrying or stopped, for every host alike", async () => {
    const { world, host, service } = await World.withHost();
    const second = await world.host();
    const statuses = async () => [
      (await host.state()).delivery.status,
      (await second.state()).delivery.status,
    ];
    expect(await statuses()).toEqual(["idle", "idle"]);
    service.script("batches", { kind: "slow", delayMs: 1 * SECOND }, answering(503), answering(403, 4999));
    await host.track();
    await world.time.until(() => host.transport.isBusy || second.transport.isBusy);
    expect(await statuses()).toEqual(["sending", "sending"]);
    await world.drained();
    await host.track();
    await world.time.until(async () => (await world.record()).delivery.failures === 1);
    expect(await statuses()).toEqual(["retrying", "retrying"]);
    await world.time.advance(2 * SECOND);
    expect(await statuses()).toEqual(["stopped", "stopped"]);
    const { delivery } = await host.state();
    expect(delivery.lastError).toMatchObject({ code: 4999 });
    expect(Date.parse(delivery.nextAttemptAt!) - world.now()).toBeGreaterThan(14 * MINUTE);
  });

  test("an open circuit breaker is reported with its own error, whatever other profiles met since", async () => {
    const { world, host, service } = await World.withHost();
    await world.time.wait(host.liveChat(LEAD));
    await world.drained();
    service.script("batches", answering(403, 4999));
    await host.track();
    await world.time.until(async () => (await host.state()).delivery.status === "stopped");
    await world.store.commit({}, ({ record: { delivery, ...record } }) => ({
      change: { record: { ...record, delivery: { failures: 0, refusedAlone: delivery.refusedAlone } } },
      result: null,
    }));
    expect((await host.state()).delivery).toMatchObject({ status: "stopped", lastError: { code: 4999 } });
  });
});
