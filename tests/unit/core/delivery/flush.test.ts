import { describe, expect, test } from "vitest";
import { HOUR, MINUTE, SECOND } from "../../../../src/protocol/wire.js";
import { UNREACHABLE, answering } from "../../../support/service-requests.js";
import { World } from "../../../support/world.js";

describe("flush", () => {
  test("flush answers 0 at once when nothing waits", async () => {
    const { world, host } = await World.withHost();
    const before = world.time.now;
    expect(await world.time.wait(host.tracker.flush(10 * SECOND))).toBe(0);
    expect(world.time.now).toBe(before);
  });

  test("flush skips back-off and answers 0 as soon as all is settled", async () => {
    const { world, host, service } = await World.withHost();
    service.fault = () => UNREACHABLE;
    await host.track(3);
    await world.time.advance(20 * MINUTE);
    service.fault = () => undefined;
    const before = world.time.now;
    expect(await world.time.wait(host.tracker.flush(10 * SECOND))).toBe(0);
    expect(world.time.now - before).toBeLessThan(1 * SECOND);
  });

  test("flush never skips Retry-After, and answers after its time how many wait", async () => {
    const { world, host, service } = await World.withHost();
    service.script("batches", answering(429, 429, 1 * HOUR));
    await host.track(3);
    await world.time.until(async () => (await world.record()).delivery.retryAfter !== undefined);
    const before = world.time.now;
    expect(await world.time.wait(host.tracker.flush(4 * SECOND))).toBe(3);
    expect(world.time.now - before).toBe(4 * SECOND);
    expect(service.requests).toHaveLength(1);
  });

  test("flush counts what was accepted before it, not after", async () => {
    const { world, host, service } = await World.withHost();
    service.fault = () => UNREACHABLE;
    await host.track(3);
    const flushed = host.tracker.flush(4 * SECOND);
    await world.time.advance(1);
    await host.track(5);
    expect(await world.time.wait(flushed)).toBe(3);
  });

  test("flush does not wait for what is accepted after it", async () => {
    const { world, host, service } = await World.withHost();
    await host.track(3);
    service.fault = ({ ids }) => (ids.includes("host-1-page-5") ? UNREACHABLE : undefined);
    const flushed = host.tracker.flush(10 * SECOND);
    await world.drained();
    await host.track(5);
    expect(await world.time.wait(flushed, 1 * SECOND)).toBe(0);
  });

  test("rejected operations are settled for flush", async () => {
    const { world, host, service } = await World.withHost();
    service.fault = () => UNREACHABLE;
    service.unwelcome.add("host-1-page-2");
    await host.track(2);
    service.fault = () => undefined;
    expect(await world.time.wait(host.tracker.flush(10 * SECOND))).toBe(0);
    expect(await world.rejected()).toHaveLength(1);
  });

  test("flush answers as soon as another host has sent all", async () => {
    const { world, host, service } = await World.withHost();
    const second = await world.host();
    service.script("batches", { kind: "slow", delayMs: 3 * SECOND });
    await second.track(2);
    await world.time.until(() => service.requestsTo("batches").length === 1);
    const before = world.time.now;
    expect(await world.time.wait(host.tracker.flush(10 * SECOND))).toBe(0);
    expect(world.time.now - before).toBeLessThan(4 * SECOND);
    expect(service.requestsTo("batches")).toHaveLength(1);
  });

  test("flush answers at any moment of a sending, and in time", async () => {
    for (let seed = 1; seed <= 80; seed++) {
      const { world, host } = await World.withHost({ seed, storeDelayMs: 4, networkDelayMs: 4 });
      void host.submitEvents(2);
      await world.time.advance(seed % 40);
      expect(await world.time.wait(host.tracker.flush(10 * SECOND), 2 * SECOND)).toBe(0);
    }
  });

  test("opted out, flush answers at once what waits", async () => {
    const { world, host, service } = await World.withHost();
    service.fault = () => UNREACHABLE;
    await host.track(2);
    await world.time.wait(host.tracker.setConsent("out"));
    expect(await world.time.wait(host.tracker.flush(10 * SECOND), 100)).toBe(2);
  });
});
