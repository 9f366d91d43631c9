/** When the tracker tries again: back-off, `Retry-After`, circuit breakers and their probe requests, clocks that are set. */
import { describe, expect, test } from "vitest";
import { HOUR, MINUTE, SECOND } from "../../../../src/protocol/wire.js";
import { withFailure } from "../../../../src/core/delivery/back-off.js";
import { withOpenBreaker } from "../../../../src/core/delivery/circuit-breaker.js";
import { planOf } from "../../../../src/core/delivery/plan.js";
import { trackingError } from "../../../../src/core/errors.js";
import { emptyRecord } from "../../../../src/core/tracker-record.js";
import { PORTAL, UNREACHABLE, answering } from "../../../support/service-requests.js";
import { World } from "../../../support/world.js";

const ERROR = trackingError(2101, "worker");

describe("back-off", () => {
  test("back-off is exponential with full jitter from 1 s, at most 5 min", () => {
    let record = emptyRecord();
    const ceilings: number[] = [];
    for (let n = 0; n < 40; n++) {
      const shortest = withFailure(record, 0, 0, ERROR).delivery.retry;
      expect(shortest?.nextAt).toBe(0);
      record = withFailure(record, 0, 1, ERROR);
      ceilings.push(record.delivery.retry!.nextAt);
    }
    expect(ceilings.slice(0, 10)).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300].map((s) => s * SECOND));
    expect(Math.max(...ceilings)).toBe(5 * MINUTE);
  });

  test("a success begins back-off anew", async () => {
    const { world, host, service } = await World.withHost();
    service.fault = () => UNREACHABLE;
    await host.track();
    await world.time.advance(30 * MINUTE);
    service.fault = () => undefined;
    await world.drained();
    expect((await world.record()).delivery).toEqual({ failures: 0, refusedAlone: 0 });
  });

  test("a registration that works does not begin the back-off of batches anew", async () => {
    const { world, host, service } = await World.withHost();
    service.fault = ({ route }) => (route === "batches" ? answering(503) : undefined);
    await host.track();
    await world.time.until(async () => (await world.record()).delivery.failures === 5);
    service.revokeTokens();
    service.script("batches", undefined, answering(503));
    await world.time.until(async () => (await world.record()).delivery.failures === 6);
    expect(await world.waiting()).toHaveLength(1);
  });

  test("a page that comes online ends back-off", async () => {
    const { world, host, service } = await World.withHost();
    service.fault = () => UNREACHABLE;
    await host.track();
    await world.time.advance(20 * MINUTE);
    service.fault = () => undefined;
    await world.time.wait(host.tracker.signal("online"));
    await world.drained(1 * SECOND);
    expect(await world.waiting()).toEqual([]);
  });

  test("a page that becomes visible does not end back-off", async () => {
    const { world, host, service } = await World.withHost();
    service.fault = () => UNREACHABLE;
    await host.track();
    await world.time.until(async () => (await world.record()).delivery.failures === 8);
    const requests = service.requests.length;
    await world.time.wait(host.tracker.signal("visible"));
    await world.time.advance(10);
    expect(service.requests).toHaveLength(requests);
  });
});

describe("Retry-After", () => {
  test("Retry-After binds batches, registrations and definitions, in every host, whatever a page says", async () => {
    const { world, host, service } = await World.withHost();
    const second = await world.host();
    service.script("batches", answering(429, 429, 10 * MINUTE));
    await host.track();
    await world.time.until(() => service.requestsTo("batches").length === 1);
    await world.time.until(async () => (await world.record()).delivery.retryAfter !== undefined);
    await world.time.advance(6 * SECOND);
    const requests = service.requests.length;
    const bound = world.time.now + 10 * MINUTE - 7 * SECOND;
    for (const one of [host, second]) {
      await world.time.wait(one.tracker.submit("p", [one.custom("p", "unknown")]));
      await world.time.wait(one.tracker.signal("online"));
      await one.init();
      await one.init({ id: "chat", kind: "lead", personId: "anna", token: "t" });
      void one.tracker.flush(1 * SECOND);
      await one.track();
    }
    const third = await world.host();
    await third.track();
    await world.time.advance(bound - world.time.now);
    expect(service.requests).toHaveLength(requests);
    await world.drained(5 * MINUTE);
  });

  test.each([
    ["401", answering(401, 401, 10 * MINUTE)],
    ["403", answering(403, 403, 10 * MINUTE)],
    ["400", answering(400, 400, 10 * MINUTE)],
    ["a captive portal's 200", { ...PORTAL, answer: { status: 200, retryAfterMs: 10 * MINUTE } } as const],
  ])("Retry-After binds with %s as well", async (_, fault) => {
    const { world, host, service } = await World.withHost();
    service.script("batches", fault);
    await host.track(2);
    await world.time.until(() => service.requestsTo("batches").length === 1);
    await world.time.advance(1 * MINUTE);
    await world.time.wait(host.tracker.signal("online"));
    await world.time.advance(8 * MINUTE);
    expect(service.requests).toHaveLength(1);
    await world.drained(20 * MINUTE);
  });

  test("Retry-After of a registration and of definitions bind too", async () => {
    for (const route of ["registrations", "definitions"] as const) {
      const { world, host, service } = await World.withHost();
      if (route === "registrations") service.revokeTokens();
      await world.time.advance(6 * SECOND);
      service.fault = (request) => (request.route === route ? answering(503, 503, 10 * MINUTE) : undefined);
      await world.time.wait(host.tracker.submit("p", [host.custom("p", "unknown")]));
      await world.time.until(async () => (await world.record()).delivery.retryAfter !== undefined);
      const requests = service.requests.length;
      await world.time.wait(host.tracker.signal("online"));
      await world.time.advance(9 * MINUTE);
      expect(service.requests).toHaveLength(requests);
      service.fault = () => undefined;
      await world.drained(20 * MINUTE);
    }
  });

  test("a later, shorter Retry-After does not undo a longer one", async () => {
    const { world, host, service } = await World.withHost();
    service.script("batches", { kind: "slow", delayMs: 5 * SECOND });
    await host.track();
    await world.time.until(() => service.requestsTo("batches").length === 1);
    const { delivery } = await world.record();
    const retryAfter = { receivedAt: world.now(), endsAt: world.now() + 1 * HOUR };
    await world.store.commit({}, ({ record }) => ({
      change: { record: { ...record, delivery: { ...delivery, retryAfter } } },
      result: null,
    }));
    service.fault = () => answering(429, 429, 1 * SECOND);
    await world.time.advance(10 * MINUTE);
    expect((await world.record()).delivery.retryAfter).toEqual(retryAfter);
  });

  test("another endpoint is not bound by the former one's Retry-After", async () => {
    const { world, host, service } = await World.withHost();
    service.script("batches", answering(503, 503, 1 * HOUR));
    await host.track();
    await world.time.advance(1 * MINUTE);
    await world.time.wait(
      host.tracker.attach({
        endpoint: "https://other.test",
        apiKey: "key",
        globalPrivacyControl: false,
      }),
    );
    await host.init();
    await world.drained(1 * SECOND);
    expect(await world.waiting()).toEqual([]);
  });
});

const stopped = async () => {
  const all = await World.withHost();
  const { world, host, service } = all;
  service.fault = ({ route }) => (route === "batches" ? answering(403) : undefined);
  await host.track(3);
  await world.time.until(async () => (await host.state()).delivery.status === "stopped");
  service.requests.length = 0;
  return all;
};

describe("an open circuit breaker", () => {
  test("an open circuit breaker lets one probe request go, 15 min after the refusal", async () => {
    const { world, service } = await stopped();
    await world.time.advance(15 * MINUTE - 10);
    expect(service.requests).toEqual([]);
    await world.time.advance(1 * MINUTE);
    expect(service.requestsTo("batches")).toHaveLength(1);
    await world.time.advance(13 * MINUTE);
    expect(service.requestsTo("batches")).toHaveLength(1);
    expect(await world.waiting()).toHaveLength(3);
  });

  test.each<[string, (world: World) => Promise<unknown>]>([
    ["init", (world) => world.hosts[0]!.init()],
    ["a host's start", (world) => world.host()],
    ["word of being online", (world) => world.time.wait(world.hosts[0]!.tracker.signal("online"))],
  ])("an open circuit breaker lets one probe request go at %s", async (_, probe) => {
    const { world, service } = await stopped();
    await probe(world);
    await world.time.advance(1 * MINUTE);
    expect(service.requestsTo("batches")).toHaveLength(1);
    service.fault = () => undefined;
    await probe(world);
    await world.drained(1 * MINUTE);
  });

  test("an open circuit breaker lets one probe request go at a new Live Chat token, by a registration made with it", async () => {
    const { world, host, service } = await World.withHost();
    const chat = { id: "chat", kind: "lead", personId: "anna", token: "old" } as const;
    await world.time.wait(host.liveChat(chat));
    await world.drained();
    service.fault = ({ route }) => (route === "batches" ? answering(403) : undefined);
    await host.track();
    await world.time.until(async () => (await host.state()).delivery.status === "stopped");
    service.fault = () => undefined;
    service.requests.length = 0;
    await world.time.wait(host.liveChat(chat));
    await world.time.advance(1 * MINUTE);
    expect(service.requests).toEqual([]);
    await world.time.wait(host.liveChat({ ...chat, token: "new" }));
    await world.drained(1 * SECOND);
    expect(service.requests.map(({ route }) => route)).toEqual(["registrations", "batches"]);
    expect(service.requests[0]?.body).toContain('"new"');
  });

  test("definitions are not requested while the profile's circuit breaker is open", async () => {
    const { world, host, service } = await stopped();
    await world.time.wait(host.tracker.submit("p", [host.custom("p", "unknown")]));
    await world.time.advance(1 * MINUTE);
    expect(service.requests).toEqual([]);
  });
});

describe("retry times on a clock that is set", () => {
  test("once the clock is set back, a retry time, a Retry-After and an open circuit breaker that lie ahead have passed", async () => {
    const { world, host, service } = await World.withHost();
    service.script("batches", answering(503, 503, 1 * HOUR));
    await host.track();
    await world.time.until(async () => (await world.record()).delivery.retry !== undefined);
    world.clockOffsetMs = -24 * HOUR;
    await world.time.wait(host.tracker.signal("visible"));
    await world.drained(1 * SECOND);
    const record = withOpenBreaker(
      { ...emptyRecord(), connection: { endpoint: "", apiKey: "" } },
      null,
      ERROR,
      1e6,
    );
    const lanes = [{ profile: { kind: "visitor", id: "v" }, waiting: 1, rejected: 0 }] as const;
    expect(planOf({ ...record, lanes }, 1e6 + 1).kind).toBe("wait");
    expect(planOf({ ...record, lanes }, 1e6 - 1 * MINUTE).kind).toBe("send");
  });

  test("a clock set back while a retry waits delays it by 15 min at most, without a signal from a page", async () => {
    const { world, host, service } = await World.withHost();
    service.script("batches", answering(503, 503, 1 * HOUR));
    await host.track();
    await world.time.until(async () => (await world.record()).delivery.retry !== undefined);
    world.clockOffsetMs = -24 * HOUR;
    await world.drained(15 * MINUTE + 1);
    expect(await world.waiting()).toEqual([]);
  });

  test("a machine that slept through the retry time sends when it wakes", async () => {
    const { world, host, service } = await World.withHost();
    service.script("batches", answering(503, 503, 10 * MINUTE));
    await host.track();
    await world.time.advance(1 * MINUTE);
    world.clockOffsetMs = 24 * HOUR;
    await world.time.wait(host.tracker.signal("visible"));
    await world.drained(1 * SECOND);
    expect(await world.waiting()).toEqual([]);
  });
});
