/** Proxies that decode bodies, drop their header or pass no compressed ones on: nothing is rejected for that. */
import { describe, expect, test } from "vitest";
import { DAY, MINUTE, SECOND } from "../../../../src/protocol/wire.js";
import { REASONS } from "../../../support/people-service.js";
import type { Fault } from "../../../support/service-requests.js";
import { UNREACHABLE, answering } from "../../../support/service-requests.js";
import type { TestHost } from "../../../support/world.js";
import { World } from "../../../support/world.js";

/** Each is worth compressing by itself. */
const LONG = { page: { url: "https://shop.test/", title: "x".repeat(3_000), referrer: "" } };
const trackLong = (host: TestHost, count: number) =>
  host.world.time.wait(host.submitEvents(count, undefined, LONG));

/** A service that gets compressed bodies as nobody can read them, and answers so. */
const withUnreadable = async (fault: Fault = answering(400)) => {
  const all = await World.withHost();
  all.service.fault = ({ compressed }) => (compressed ? fault : undefined);
  return all;
};
const compressedOf = ({ service }: World) =>
  service.requestsTo("batches").map(({ compressed, ids }) => [compressed, ids.length]);

const PLAIN_400: Fault = { kind: "answer", answer: { status: 400 } };

describe("compression that does not pass", () => {
  test("an operation refused alone is sent once more uncompressed, and arrives", async () => {
    const { world, host } = await withUnreadable();
    await trackLong(host, 1);
    await world.drained(100);
    expect(compressedOf(world)).toEqual([
      [true, 1],
      [false, 1],
    ]);
    expect(await world.rejected()).toEqual([]);
    expect((await world.record()).delivery).toMatchObject({ refusedAlone: 0, failures: 0 });
  });

  test("413 with the service's body is no exception", async () => {
    const { world, host } = await withUnreadable(answering(413));
    await trackLong(host, 1);
    await world.drained(100);
    expect(await world.rejected()).toEqual([]);
  });

  test("a refused batch is sent uncompressed before it is halved, and arrives whole", async () => {
    const { world, host } = await withUnreadable();
    await host.track(100);
    await world.drained(100);
    expect(compressedOf(world)).toEqual([
      [true, 100],
      [false, 100],
    ]);
  });

  test("the browser sends nothing compressed for a day, then tries again", async () => {
    const { world, host, service } = await withUnreadable();
    await trackLong(host, 1);
    await world.drained(100);
    const second = await world.host();
    await trackLong(second, 1);
    await world.drained(100);
    await world.time.advance(1 * DAY - 1 * MINUTE);
    await trackLong(host, 1);
    await world.drained(100);
    expect(compressedOf(world).filter(([compressed]) => compressed)).toEqual([[true, 1]]);
    service.fault = () => undefined;
    await world.time.advance(1 * MINUTE);
    service.requests.length = 0;
    await trackLong(host, 1);
    await world.drained(10 * SECOND);
    expect(compressedOf(world)[0]).toEqual([true, 1]);
  });

  test("a day that lies ahead, as the clock was set back, has passed", async () => {
    const { world, host, service } = await withUnreadable();
    await trackLong(host, 1);
    await world.drained(100);
    world.clockOffsetMs = -30 * DAY;
    service.requests.length = 0;
    await trackLong(host, 1);
    await world.drained(10 * SECOND);
    expect(compressedOf(world)[0]?.[0]).toBe(true);
  });

  test("another endpoint is sent compressed bodies", async () => {
    const { world, host, service } = await withUnreadable();
    await trackLong(host, 1);
    await world.drained(100);
    service.fault = () => undefined;
    service.requests.length = 0;
    await world.time.wait(host.tracker.attach({ ...host.hello, endpoint: "https://other.test" }));
    await trackLong(host, 1);
    await world.drained(10 * SECOND);
    expect(compressedOf(world)).toEqual([[true, 1]]);
  });

  test.each<[string, Fault]>([
    ["400 without the service's body", PLAIN_400],
    ["415", { kind: "answer", answer: { status: 415 } }],
    ["415 with the service's body", answering(415)],
  ])("%s is followed, after back-off, by an uncompressed request", async (_, fault) => {
    const { world, host } = await withUnreadable(fault);
    await trackLong(host, 3);
    await world.drained(2 * SECOND);
    expect(compressedOf(world)).toEqual([
      [true, 3],
      [false, 3],
    ]);
    expect((await world.record()).delivery.uncompressed).toBeDefined();
  });

  test("the uncompressed request comes, though the host died meanwhile and the service was away", async () => {
    const { world, host, service } = await withUnreadable(PLAIN_400);
    await trackLong(host, 1);
    await world.time.until(async () => (await world.record()).delivery.compressionDoubt !== undefined);
    host.die();
    service.fault = ({ compressed }) => (compressed ? PLAIN_400 : UNREACHABLE);
    await world.host();
    await world.time.advance(1 * MINUTE);
    service.fault = ({ compressed }) => (compressed ? PLAIN_400 : undefined);
    await world.drained(10 * MINUTE);
    expect(compressedOf(world).filter(([compressed]) => compressed)).toHaveLength(1);
  });
});

describe("what is not compression's fault", () => {
  test("a poisonous operation is rejected once it is refused uncompressed too", async () => {
    const { world, host, service } = await World.withHost();
    service.isPoisonous = ({ id }) => id === "host-1-page-2";
    await trackLong(host, 1);
    await world.drained(100);
    expect(compressedOf(world)).toEqual([
      [true, 1],
      [false, 1],
    ]);
    expect(await world.rejected()).toMatchObject([{ id: "host-1-page-2", error: { code: REASONS.POISON } }]);
    const { delivery } = await world.record();
    expect(delivery.refusedAlone).toBe(1);
    expect(delivery).not.toHaveProperty("uncompressed");
    expect(delivery).not.toHaveProperty("compressionDoubt");
  });

  test("of the halves of a batch only the operation that is alone is sent twice", async () => {
    const { world, host, service } = await World.withHost();
    service.isPoisonous = ({ id }) => id === "host-1-page-10";
    await trackLong(host, 16);
    await world.drained(100);
    expect(await world.rejected()).toHaveLength(1);
    const uncompressed = compressedOf(world).filter(([compressed]) => !compressed);
    expect(uncompressed).toEqual([
      [false, 16],
      [false, 1],
    ]);
  });

  test("ten refused alone open the profile's circuit breaker, each sent twice", async () => {
    const { world, host, service } = await World.withHost();
    service.fault = ({ route }) => (route === "batches" ? answering(400) : undefined);
    await trackLong(host, 12);
    await world.time.until(async () => (await host.state()).delivery.status === "stopped");
    expect(await world.rejected()).toHaveLength(10);
    expect(compressedOf(world).filter(([, count]) => count === 1)).toHaveLength(20);
  });

  test.each<[string, Fault]>([
    ["does not answer", UNREACHABLE],
    ["is down", answering(503)],
    ["answers 400 to all", PLAIN_400],
    ["answers 415 to all", { kind: "answer", answer: { status: 415 } }],
  ])("a service that %s gets no more requests than with short bodies", async (_, fault) => {
    const requestsWith = async (extra: object): Promise<number> => {
      const { world, host, service } = await World.withHost();
      service.fault = () => fault;
      await world.time.wait(host.submitEvents(1, undefined, extra));
      await world.time.advance(60 * MINUTE);
      return service.requests.length;
    };
    expect(await requestsWith(LONG)).toBe(await requestsWith({}));
  });

  test("a captive portal's empty results say nothing of compression", async () => {
    const { world, host, service } = await withUnreadable(PLAIN_400);
    const portal: Fault = { kind: "answer", answer: { status: 200, body: { results: [] } } };
    service.fault = ({ compressed }) => (compressed ? PLAIN_400 : portal);
    await trackLong(host, 1);
    await world.time.advance(10 * SECOND);
    expect((await world.record()).delivery).not.toHaveProperty("uncompressed");
  });
});
