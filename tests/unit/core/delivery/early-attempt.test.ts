/** A page is online again: what waits is tried before its time, and no storm of such reports makes a storm of requests. */
import { describe, expect, test } from "vitest";
import { withEarlyAttempt } from "../../../../src/core/delivery/early-attempt.js";
import { MINUTE, SECOND } from "../../../../src/protocol/wire.js";
import { UNREACHABLE, answering } from "../../../support/service-requests.js";
import type { TestHost } from "../../../support/world.js";
import { World } from "../../../support/world.js";

/** A service that does not answer, and a back-off of minutes. */
const backedOff = async () => {
  const all = await World.withHost();
  const { world, host, service } = all;
  service.fault = () => UNREACHABLE;
  await host.track();
  await world.time.until(async () => (await world.record()).delivery.failures === 10, 60 * MINUTE);
  service.requests.length = 0;
  // As long as back-off can be.
  await world.store.commit({}, ({ record }) => {
    const retry = { decidedAt: world.now(), nextAt: world.now() + 5 * MINUTE };
    return { change: { record: { ...record, delivery: { ...record.delivery, retry } } }, result: null };
  });
  return all;
};

const online = (host: TestHost): Promise<void> => host.world.time.wait(host.tracker.signal("online"));

/** The browser was killed, and started again. */
const restarted = async () => {
  const all = await backedOff();
  all.host.die();
  return all;
};

describe("early attempts", () => {
  test("150 reports in 6 s make a handful of requests, from however many hosts", async () => {
    const { world, host, service } = await backedOff();
    const second = await world.host();
    const requests = service.requests.length;
    for (let n = 0; n < 150; n++) {
      await online(n % 2 ? host : second);
      await world.time.advance(40);
    }
    expect(service.requests.length - requests).toBeGreaterThanOrEqual(2);
    expect(service.requests.length - requests).toBeLessThanOrEqual(6);
  });

  test("the first report is followed at once", async () => {
    const { world, host, service } = await backedOff();
    service.fault = () => undefined;
    await online(host);
    await world.drained(100);
    expect(await world.waiting()).toEqual([]);
  });

  test("the last report of a storm is followed within 5 s", async () => {
    const { world, host, service } = await backedOff();
    await online(host);
    await world.time.advance(4 * SECOND);
    // As long as back-off can be.
    const retry = { decidedAt: world.now(), nextAt: world.now() + 5 * MINUTE };
    await world.store.commit({}, ({ record }) => ({
      change: { record: { ...record, delivery: { ...record.delivery, failures: 10, retry } } },
      result: null,
    }));
    await online(host);
    service.fault = () => undefined;
    const requests = service.requests.length;
    await world.time.advance(900);
    expect(service.requests).toHaveLength(requests);
    await world.drained(200);
    expect(await world.waiting()).toEqual([]);
  });

  test("a report while a request is under way is followed within 5 s of the early attempt before", async () => {
    const { world, host, service } = await backedOff();
    service.fault = () => ({ kind: "silent" });
    await online(host);
    await world.time.until(() => service.requests.length === 1);
    await world.time.advance(29 * SECOND);
    await online(host);
    await world.time.advance(100);
    await online(host);
    service.fault = () => undefined;
    await world.time.until(() => service.requests.length === 2, 6 * SECOND);
    await world.drained(100);
    expect(await world.waiting()).toEqual([]);
  });

  test("an attempt that fails goes on with a back-off of seconds", async () => {
    const { world, host } = await backedOff();
    await online(host);
    await world.time.until(async () => (await world.record()).delivery.retry !== undefined);
    const { failures, retry } = (await world.record()).delivery;
    expect(failures).toBe(3);
    expect(retry!.nextAt - retry!.decidedAt).toBeLessThanOrEqual(4 * SECOND);
  });

  test("a page that comes online shows in the state at once", async () => {
    const { host } = await backedOff();
    await host.world.time.wait(host.tracker.signal("offline"));
    await online(host);
    void host.tracker.signal("offline");
    expect((await host.state()).online).toBe(false);
    void host.tracker.signal("online");
    expect((await host.state()).online).toBe(true);
  });

  test("an open circuit breaker gets its probe request at once, and in a storm of reports one more at the end of 5 s", async () => {
    const { world, host, service } = await World.withHost();
    service.fault = ({ route }) => (route === "batches" ? answering(403) : undefined);
    await host.track();
    await world.time.until(async () => (await host.state()).delivery.status === "stopped");
    service.requests.length = 0;
    for (let n = 0; n < 40; n++) {
      await online(host);
      await world.time.advance(100);
    }
    expect(service.requestsTo("batches")).toHaveLength(1);
    await world.time.advance(1 * SECOND);
    expect(service.requestsTo("batches")).toHaveLength(2);
    await world.time.advance(10 * MINUTE);
    expect(service.requestsTo("batches")).toHaveLength(2);
  });

  test("Retry-After holds against all of it", async () => {
    const { world, host, service } = await World.withHost();
    service.fault = () => answering(503, 503, 10 * MINUTE);
    await host.track();
    await world.time.until(async () => (await world.record()).delivery.retryAfter !== undefined);
    for (let n = 0; n < 20; n++) {
      await online(host);
      await world.time.advance(1 * SECOND);
    }
    expect(service.requests).toHaveLength(1);
  });

  test("an instant ahead, left by a clock that was set back, counts as long ago", async () => {
    const { world, host, service } = await backedOff();
    await online(host);
    await world.time.advance(100);
    world.clockOffsetMs = -24 * 60 * MINUTE;
    service.fault = () => undefined;
    const record = await world.record();
    const attempted = withEarlyAttempt(record, world.now());
    expect(attempted.delivery).toMatchObject({ earlyAttemptAt: world.now() });
    await online(host);
    await world.drained(100);
  });

  test("a report that changes nothing more changes nothing in the record", async () => {
    const { host, world } = await backedOff();
    await online(host);
    await world.time.advance(1 * SECOND);
    await online(host);
    const record = await world.record();
    expect(withEarlyAttempt(record, world.now() + 1 * SECOND)).toBe(record);
  });
});

describe("a new host's first page", () => {
  test("ends the back-off that has outlived the browser", async () => {
    const { world, service } = await restarted();
    service.fault = () => undefined;
    await world.host();
    await world.time.advance(100);
    expect(await world.waiting()).toEqual([]);
  });

  test("does not end Retry-After", async () => {
    const { world, service } = await restarted();
    const retryAfter = { receivedAt: world.now(), endsAt: world.now() + 1 * MINUTE };
    await world.store.commit({}, ({ record }) => ({
      change: { record: { ...record, delivery: { ...record.delivery, retryAfter } } },
      result: null,
    }));
    await world.host();
    await world.time.advance(59 * SECOND);
    expect(service.requests).toEqual([]);
  });

  test("makes one attempt in 5 s, however often the page is loaded anew", async () => {
    const { world, service } = await restarted();
    for (let n = 0; n < 20; n++) {
      const host = await world.host();
      await world.time.advance(200);
      host.die();
    }
    expect(service.requestsTo("batches").length).toBeGreaterThanOrEqual(1);
    // Two early attempts, and the back-off of 4 s at most that goes on between them.
    expect(service.requestsTo("batches").length).toBeLessThanOrEqual(5);
  });

  test("is attempted for once in a host", async () => {
    const { world, host, service } = await backedOff();
    await world.time.advance(6 * SECOND);
    service.requests.length = 0;
    await host.init();
    await world.time.advance(100);
    expect(service.requestsTo("batches")).toEqual([]);
  });
});
