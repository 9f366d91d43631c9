/** Wrong events fail at the call, and never on stale knowledge. */
import { describe, expect, test } from "vitest";
import { MINUTE, SECOND } from "../../../../src/protocol/wire.js";
import { withRetryAfter } from "../../../../src/core/delivery/back-off.js";
import type { TrackerRecord } from "../../../../src/core/tracker-record.js";
import { UNREACHABLE, answering } from "../../../support/service-requests.js";
import type { TestHost } from "../../../support/world.js";
import { World } from "../../../support/world.js";

const ACTION = { id: "action", properties: { name: "string", count: "numeric" } } as const;

const withAction = async () => {
  const all = await World.withHost();
  all.service.define(ACTION);
  await all.world.time.advance(10 * SECOND);
  await track(all.world, all.host, "action", { name: "x" });
  await all.world.drained();
  await all.world.time.advance(10 * SECOND);
  all.service.requests.length = 0;
  return all;
};

const track = async (
  world: World,
  host: TestHost,
  eventId: string,
  properties?: Record<string, string | number>,
): Promise<string | undefined> => {
  const [answer] = await world.time.wait(host.tracker.submit("p", [host.custom("p", eventId, properties)]));
  return answer?.error?.message;
};

describe("event definitions", () => {
  test("what the cache allows is stored without asking", async () => {
    const { world, host, service } = await withAction();
    expect(await track(world, host, "action", { name: "x", count: 2 })).toBeUndefined();
    await world.drained();
    expect(service.requestsTo("definitions")).toEqual([]);
  });

  test("an event that comes as its host starts waits for the stored definitions and requests none", async () => {
    const { world, service } = await withAction();
    const starting = world.host();
    const host = world.hosts.at(-1)!;
    expect(await track(world, host, "action", { name: "x" })).toBeUndefined();
    await starting;
    await world.drained();
    expect(service.requestsTo("definitions")).toEqual([]);
  });

  test.each([
    ["nothing", undefined, "no event is defined with the id nothing"],
    ["action", { other: "x" }, "properties.other is not defined for the event action"],
    ["action", { count: 1.5 }, "properties.count must be of type numeric, as the event action defines it"],
  ])("%s %o is refused once a fresh answer agrees", async (eventId, properties, cause) => {
    const { world, host, service } = await withAction();
    expect(await track(world, host, eventId, properties)).toBe(`Error when calling track(). Cause: ${cause}`);
    expect(service.requestsTo("definitions")).toHaveLength(1);
  });

  test("names that every object has are the service's to define, like all others", async () => {
    const { world, host, service } = await withAction();
    service.define({
      id: "constructor",
      properties: { constructor: "string", toString: "numeric" } as const,
    });
    expect(await track(world, host, "constructor", { constructor: "x", toString: 1 })).toBeUndefined();
    expect(await track(world, host, "constructor", { hasOwnProperty: 1 })).toBe(
      "Error when calling track(). Cause: properties.hasOwnProperty is not defined for the event constructor",
    );
    expect(await track(world, host, "toString")).toBe(
      "Error when calling track(). Cause: no event is defined with the id toString",
    );
  });

  test("an event that was defined a moment ago is accepted", async () => {
    const { world, host, service } = await withAction();
    service.define({ id: "fresh", properties: {} });
    expect(await track(world, host, "fresh")).toBeUndefined();
  });

  test.each([
    ["unreachable", UNREACHABLE],
    ["silent", { kind: "silent" } as const],
    ["broken", answering(500)],
    ["a captive portal", { kind: "answer", answer: { status: 200, body: "<html>" } } as const],
    ["of another shape", { kind: "answer", answer: { status: 200, body: { version: 1 } } } as const],
  ])("a service that is %s refuses nothing, within 2 s", async (_, fault) => {
    const { world, host, service } = await withAction();
    service.fault = ({ route }) => (route === "definitions" ? fault : undefined);
    const before = world.time.now;
    expect(await track(world, host, "unknown")).toBeUndefined();
    expect(world.time.now - before).toBeLessThanOrEqual(2 * SECOND);
  });

  test("offline, no definitions are requested and nothing is refused", async () => {
    const { world, host, service } = await withAction();
    await world.time.wait(host.tracker.signal("offline"));
    expect(await track(world, host, "unknown")).toBeUndefined();
    expect(service.requestsTo("definitions")).toEqual([]);
  });

  test.each<[string, (record: TrackerRecord, now: number) => TrackerRecord]>([
    ["somebody opts out", (record) => ({ ...record, consent: "out" })],
    [
      "the service asks to wait",
      (record, now) => withRetryAfter(record, now, answering(429, 429, MINUTE).answer),
    ],
  ])("nothing is asked where %s while the registration for it is under way", async (_, change) => {
    const world = new World();
    const host = await world.host();
    world.service.script("registrations", { kind: "slow", delayMs: 5 * SECOND });
    void host.beginInit();
    await world.time.until(() => world.service.requests.length === 1);
    void host.tracker.submit("p", [host.custom("p", "unknown")]);
    await world.time.advance(1 * SECOND);
    await world.store.commit({}, ({ record }) => ({
      change: { record: change(record, world.now()) },
      result: null,
    }));
    await world.time.advance(20 * SECOND);
    expect(world.service.requestsTo("definitions")).toEqual([]);
  });

  test("many doubtful events share one request and 2 s", async () => {
    const { world, host, service } = await withAction();
    service.fault = ({ route }) => (route === "definitions" ? { kind: "silent" } : undefined);
    const before = world.time.now;
    const commands = Array.from({ length: 8 }, () => host.custom("p", "unknown"));
    const more = Array.from({ length: 8 }, () => host.tracker.submit("p", [host.custom("p", "unknown")]));
    const answers = await world.time.wait(Promise.all([host.tracker.submit("p2", commands), ...more]));
    expect(answers.flat()).toHaveLength(16);
    expect(answers.flat().filter(({ error }) => error)).toEqual([]);
    expect(world.time.now - before).toBe(2 * SECOND);
    expect(service.requestsTo("definitions")).toHaveLength(1);
    await track(world, host, "unknown");
    expect(world.time.now - before).toBe(2 * SECOND);
  });

  test("an answer is good for 5 s", async () => {
    const { world, host, service } = await withAction();
    await track(world, host, "unknown");
    await world.time.advance(4 * SECOND);
    expect(await track(world, host, "unknown")).toContain("no event is defined");
    expect(service.requestsTo("definitions")).toHaveLength(1);
    await world.time.advance(1 * SECOND);
    await track(world, host, "unknown");
    expect(service.requestsTo("definitions")).toHaveLength(2);
  });

  test("what has not changed is answered with 304 and stays", async () => {
    const { world, host, service } = await withAction();
    expect(await track(world, host, "unknown")).toContain("no event is defined");
    expect(await track(world, host, "action", { name: "y" })).toBeUndefined();
    expect(service.requestsTo("definitions")).toHaveLength(1);
  });

  test("a page's commands keep their order while one of them waits for an answer; other pages go on", async () => {
    const { world, host, service } = await withAction();
    service.define({ id: "fresh", properties: {} });
    service.script("definitions", { kind: "slow", delayMs: 1 * SECOND });
    const before = world.time.now;
    const doubtful = host.tracker.submit("p9", [host.custom("p9", "fresh")]);
    const plain = host.submitEvents(1, "p9");
    await world.time.wait(host.submitEvents(1, "p10"));
    expect(world.time.now).toBe(before);
    expect(await world.time.wait(Promise.all([doubtful, plain]))).toEqual([[{ n: 1 }], [{ n: 2 }]]);
    expect(world.time.now - before).toBe(1 * SECOND);
    const accepted = [...world.accepted.keys()].filter((id) => /^p(9|10)-/.test(id));
    expect(accepted).toEqual(["p10-1", "p9-1", "p9-2"]);
  });

  test("a disk that fails while definitions are requested refuses no later call", async () => {
    const { world, host } = await withAction();
    world.storageFails = true;
    expect(await track(world, host, "unknown")).toContain("the disk is full");
    world.storageFails = false;
    await world.time.advance(1 * MINUTE);
    expect(await track(world, host, "action", { name: "z" })).toBeUndefined();
  });

  test("another host's start knows the definitions from the disk", async () => {
    const { world, service } = await withAction();
    const second = await world.host();
    service.requests.length = 0;
    expect(await track(world, second, "action", { name: "x" })).toBeUndefined();
    expect(service.requestsTo("definitions")).toEqual([]);
  });

  test("an ETag that no header can carry is not kept, and the definitions are", async () => {
    const { world, host, service } = await withAction();
    const definitions = { version: "3", definitions: [ACTION, { id: "fresh", properties: {} }] };
    service.fault = ({ route }) =>
      route === "definitions"
        ? { kind: "answer", answer: { status: 200, etag: '"\u200b"', body: definitions } }
        : undefined;
    expect(await track(world, host, "fresh")).toBeUndefined();
    expect(await world.store.readDefinitions()).toEqual(definitions);
  });
});
