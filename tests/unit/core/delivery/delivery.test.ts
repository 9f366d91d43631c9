/** Each row of the wire protocol's table of answers. */
import { describe, expect, test } from "vitest";
import type { BatchRequest } from "../../../../src/protocol/wire.js";
import { LIMITS, MINUTE, SECOND } from "../../../../src/protocol/wire.js";
import { REASONS } from "../../../support/people-service.js";
import type { Fault } from "../../../support/service-requests.js";
import { PORTAL, UNREACHABLE, answering, errorAnswer } from "../../../support/service-requests.js";
import { World } from "../../../support/world.js";

const ids = (rows: readonly { id: string }[]): string[] => rows.map(({ id }) => id);
const status = async ({ hosts: [host] }: World) => (await host!.state()).delivery;

const UNACKNOWLEDGED: [string, Fault][] = [
  ["a captive portal's page", PORTAL],
  ["JSON of another shape", { kind: "answer", answer: { status: 200, body: { ok: true } } }],
  ["an answer without results", { kind: "answer", answer: { status: 200, body: { results: [] } } }],
  [
    "results of unknown status",
    { kind: "answer", answer: { status: 200, body: { results: [{ id: "host-1-page-2", status: "done" }] } } },
  ],
  ["408", answering(408)],
  ["425", answering(425)],
  ["429", answering(429)],
  ["500", answering(500)],
  ["503", answering(503)],
  ["404", answering(404)],
  ["204", { kind: "answer", answer: { status: 204 } }],
  [
    "201 with results",
    {
      kind: "answer",
      answer: { status: 201, body: { results: [{ id: "host-1-page-2", status: "accepted" }] } },
    },
  ],
  ["400 without the service's error body", { kind: "answer", answer: { status: 400, body: "Bad Request" } }],
  ["413 of a proxy", { kind: "answer", answer: { status: 413 } }],
  ["no answer in time", { kind: "silent" }],
  ["a broken connection", UNREACHABLE],
];
describe("results of a batch", () => {
  test("accepted operations leave the outbox", async () => {
    const { world, host, service } = await World.withHost();
    await host.track(3);
    await world.drained();
    expect(service.appliedIds().slice(-3)).toEqual(["host-1-page-2", "host-1-page-3", "host-1-page-4"]);
    expect(await status(world)).toEqual({ status: "idle" });
  });

  test("duplicates leave the outbox too: a lost answer leaves no row and applies nothing twice", async () => {
    const { world, host, service } = await World.withHost();
    service.script("batches", { kind: "lost" });
    await host.track(5);
    await world.drained(10 * SECOND);
    expect(service.requestsTo("batches")).toHaveLength(2);
    expect(new Set(service.appliedIds()).size).toBe(service.applied.length);
  });

  test("rejected operations are kept with the reason, and the rest go on", async () => {
    const { world, host, service } = await World.withHost();
    service.unwelcome.add("host-1-page-3");
    await host.track(3);
    await world.drained();
    const [row] = await world.rejected();
    expect(row).toMatchObject({
      id: "host-1-page-3",
      error: { code: REASONS.UNWELCOME, message: "no", origin: "people-service", platform: "fe-snippet" },
    });
    const state = await host.state();
    expect(state.outbox).toEqual({ waiting: 0, rejected: 1 });
    expect(state.delivery.lastError).toMatchObject({ code: REASONS.UNWELCOME });
    expect(service.appliedIds()).toContain("host-1-page-4");
  });

  test.each(UNACKNOWLEDGED)("%s acknowledges nothing, and is tried again", async (_, fault) => {
    const { world, host, service } = await World.withHost();
    service.script("batches", fault);
    await host.track(2);
    await world.time.until(() => service.requestsTo("batches").length === 1);
    await world.time.until(async () => (await world.record()).delivery.failures === 1);
    expect(ids(await world.waiting())).toEqual(["host-1-page-2", "host-1-page-3"]);
    expect(await status(world)).toMatchObject({
      status: "retrying",
      nextAttemptAt: expect.any(String),
      lastError: expect.any(Object),
    });
    await world.drained(10 * SECOND);
    expect(service.requestsTo("batches")).toHaveLength(2);
    expect(await world.rejected()).toEqual([]);
    expect(service.appliedIds().slice(-2)).toEqual(["host-1-page-2", "host-1-page-3"]);
  });

  test("an operation without a result stays and is sent again, alone", async () => {
    const { world, host, service } = await World.withHost();
    service.script("batches", { kind: "half", named: 2 });
    await host.track(3);
    await world.time.until(async () => (await world.waiting()).length === 1);
    expect(await status(world)).toMatchObject({ status: "retrying" });
    await world.drained(10 * SECOND);
    expect(service.requestsTo("batches").map((request) => request.ids)).toEqual([
      ["host-1-page-2", "host-1-page-3", "host-1-page-4"],
      ["host-1-page-4"],
    ]);
  });

  test("a service that names none of the operations is sent them ever more rarely", async () => {
    const { world, host, service } = await World.withHost();
    service.fault = () => ({ kind: "half", named: 0 });
    await host.track();
    await world.time.advance(60 * MINUTE);
    expect((await world.record()).delivery.failures).toBeGreaterThan(9);
    expect(service.requestsTo("batches").length).toBeLessThan(60);
  });
});

describe("a batch that is refused", () => {
  test.each([400, 413])("%i halves the batch until the culprit is alone, which is rejected", async (code) => {
    const { world, host, service } = await World.withHost();
    service.fault = (request) => (request.ids.includes("host-1-page-7") ? answering(code) : undefined);
    await host.track(16);
    await world.drained(10 * SECOND);
    expect(await world.rejected()).toMatchObject([{ id: "host-1-page-7", error: { code } }]);
    expect(service.appliedIds().slice(-15)).toEqual(
      [2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17].map((n) => `host-1-page-${n}`),
    );
    expect(service.requestsTo("batches").length).toBeLessThan(16);
  });

  test("nine poisonous operations among good ones block nothing, and no time is lost on them", async () => {
    const { world, host, service } = await World.withHost();
    const poisonous = new Set(Array.from({ length: 9 }, (_, index) => `host-1-page-${2 + 7 * index}`));
    service.isPoisonous = ({ id }) => poisonous.has(id);
    await host.track(100);
    await world.drained(1 * SECOND);
    expect(await world.rejected()).toHaveLength(9);
    expect(service.appliedIds()).toHaveLength(2 + 91);
  });

  test("ten refused alone with none accepted between open the profile's circuit breaker; the rest is kept", async () => {
    const { world, host, service } = await World.withHost();
    service.fault = ({ route }) => (route === "batches" ? answering(400) : undefined);
    await host.track(30);
    await world.time.until(async () => (await status(world)).status === "stopped");
    expect(await world.rejected()).toHaveLength(10);
    expect(await world.waiting()).toHaveLength(20);
    const requests = service.requestsTo("batches").length;
    await world.time.advance(14 * MINUTE);
    expect(service.requestsTo("batches")).toHaveLength(requests);
    service.fault = () => undefined;
    await world.drained(2 * MINUTE);
    expect(service.appliedIds().slice(-20)).toEqual(
      [...Array(20).keys()].map((n) => `host-1-page-${n + 12}`),
    );
  });

  test("eleven poisonous operations in a row are isolated, attempt by attempt", async () => {
    const { world, host, service } = await World.withHost();
    const poisonous = new Set(Array.from({ length: 11 }, (_, index) => `host-1-page-${2 + index}`));
    service.isPoisonous = ({ id }) => poisonous.has(id);
    await host.track(15);
    await world.drained(60 * MINUTE);
    expect(await world.rejected()).toHaveLength(11);
    expect(service.appliedIds().slice(-5, -1)).toEqual([13, 14, 15, 16].map((n) => `host-1-page-${n}`));
  });
});

describe("registrations and circuit breakers", () => {
  test("401 registers once more and sends again", async () => {
    const { world, host, service } = await World.withHost();
    service.revokeTokens();
    await host.track(2);
    await world.drained(1);
    expect(service.requests.map(({ route }) => route)).toEqual(["batches", "registrations", "batches"]);
    expect(service.appliedIds().slice(-2)).toEqual(["host-1-page-2", "host-1-page-3"]);
  });

  test("401 with the new registration too opens the circuit breaker, keeps everything and reports 2018", async () => {
    const { world, host, service } = await World.withHost();
    service.fault = ({ route }) => (route === "batches" ? answering(401) : undefined);
    await host.track(2);
    await world.time.advance(14 * MINUTE);
    expect(service.requests.map(({ route }) => route)).toEqual(["batches", "registrations", "batches"]);
    expect(await status(world)).toMatchObject({ status: "stopped", lastError: { code: 2018 } });
    expect(await world.waiting()).toHaveLength(2);
    expect(await world.rejected()).toEqual([]);
    service.fault = () => undefined;
    await world.drained(2 * MINUTE);
  });

  test("401 for the key itself opens its circuit breaker, keeps everything and reports 2018", async () => {
    const { world, host, service } = await World.withHost();
    service.apiKey = "another";
    service.revokeTokens();
    await host.track(2);
    await world.time.advance(14 * MINUTE);
    expect(service.requests.map(({ route }) => route)).toEqual(["batches", "registrations"]);
    expect(await status(world)).toMatchObject({ status: "stopped", lastError: { code: 2018 } });
    expect(await world.waiting()).toHaveLength(2);
    service.apiKey = "key";
    await world.drained(2 * MINUTE);
  });

  test("403 for a profile opens its circuit breaker and is reported; other profiles go on", async () => {
    const { world, host, service } = await World.withHost();
    service.fault = ({ route }) => (route === "batches" ? answering(403, 4999) : undefined);
    await host.track(1);
    await world.time.until(async () => (await status(world)).status === "stopped");
    expect(await status(world)).toMatchObject({ lastError: { code: 4999 } });
    service.fault = () => undefined;
    await world.time.wait(host.liveChat({ id: "chat", kind: "lead", personId: "anna", token: "t" }));
    await world.time.advance(1 * MINUTE);
    // The merge went into the lead, while the visitor's own event waits for its probe request.
    expect(service.merged.size).toBe(1);
    expect(ids(await world.waiting())).toEqual(["host-1-page-2"]);
    await world.drained(15 * MINUTE);
  });

  test("two profiles that are refused, one of which needs the other's token, make few requests", async () => {
    const { world, host, service } = await World.withHost();
    service.fault = ({ route }) => (route === "batches" ? answering(403) : undefined);
    await host.track(1);
    await world.time.wait(host.liveChat({ id: "chat", kind: "lead", personId: "anna", token: "t" }));
    await world.time.advance(10 * MINUTE);
    expect(service.requests.length).toBeLessThan(8);
  });

  test("403 with 4031 opens the key's circuit breaker, and stops every profile", async () => {
    const { world, host, service } = await World.withHost();
    service.fault = ({ route }) => (route === "batches" ? answering(403, 4031) : undefined);
    await host.track(1);
    await world.time.until(async () => (await status(world)).status === "stopped");
    await world.time.wait(host.liveChat({ id: "chat", kind: "lead", personId: "anna", token: "t" }));
    const requests = service.requests.length;
    // The new token half-opens the lead's circuit breaker, but not the key's.
    await world.time.advance(14 * MINUTE);
    expect(service.requests).toHaveLength(requests);
    expect((await world.record()).delivery.keyStop?.error.code).toBe(4031);
  });

  test("the error in a response's body is the error that is reported", async () => {
    const { world, host, service } = await World.withHost();
    service.script("batches", { kind: "answer", answer: errorAnswer(503, 5031) });
    await host.track();
    await world.time.until(async () => (await status(world)).status === "retrying");
    expect((await status(world)).lastError).toMatchObject({ code: 5031, origin: "people-service" });
  });

  test("a batch holds at most 5,000 operations and 1 MiB", async () => {
    const { world, host, service } = await World.withHost();
    const page = { url: "https://shop.test/", title: "ü".repeat(40_000), referrer: "" };
    await world.time.wait(
      Promise.all([host.submitEvents(60, "big", { page }), host.submitEvents(6_000, "small")]),
    );
    await world.drained();
    const batches = service.requestsTo("batches").map(({ body }) => body);
    expect(Math.max(...batches.map((body) => Buffer.byteLength(body)))).toBeLessThanOrEqual(
      LIMITS.batchBytes,
    );
    const counts = batches.map((body) => (JSON.parse(body) as BatchRequest).operations.length);
    expect(Math.max(...counts)).toBeLessThanOrEqual(LIMITS.operationsPerBatch);
    expect(batches.length).toBeLessThan(40);
    expect(service.applied).toHaveLength(2 + 6_060);
  });

  test("a merge carries the visitor's token, also an expired one", async () => {
    const { world, host, service } = await World.withHost();
    const [visitorToken] = (await world.record()).lanes.map(({ registration }) => registration?.token);
    for (let n = 0; n < 2; n++) {
      await world.time.advance(25 * MINUTE);
      await host.track();
    }
    await world.time.advance(15 * MINUTE);
    await world.time.wait(host.liveChat({ id: "chat", kind: "lead", personId: "anna", token: "t" }));
    await world.drained();
    const merge = service.requestsTo("batches").find(({ ids: [id] }) => id?.startsWith("m-"));
    expect((JSON.parse(merge!.body) as BatchRequest).operations[0]).toMatchObject({
      type: "profile.merge",
      from: { kind: "visitor", token: visitorToken },
    });
  });

  test("a merge of a visitor that was never registered registers it first", async () => {
    const world = new World();
    const host = await world.host();
    world.service.fault = () => UNREACHABLE;
    await host.init();
    await host.track();
    await world.time.wait(host.liveChat({ id: "chat", kind: "lead", personId: "anna", token: "t" }));
    world.service.fault = () => undefined;
    await world.drained(10 * MINUTE);
    expect(world.service.merged.size).toBe(1);
    expect((await world.record()).lanes.map(({ profile }) => profile.kind)).toEqual(["lead"]);
  });

  test("a merge whose visitor the service refuses opens its profile's circuit breaker, instead of asking without end", async () => {
    const world = new World();
    const host = await world.host();
    world.service.fault = () => UNREACHABLE;
    await host.init();
    await host.track();
    await world.time.wait(host.liveChat({ id: "chat", kind: "lead", personId: "anna", token: "t" }));
    const visitor = (await world.record()).lanes.find(({ profile }) => profile.kind === "visitor")!.profile;
    world.service.strangers.add(visitor.id);
    world.service.fault = () => undefined;
    await world.time.advance(10 * MINUTE);
    expect(await status(world)).toMatchObject({ status: "stopped", lastError: { code: 4032 } });
    expect(world.service.requests.length).toBeLessThan(30);
    world.service.strangers.clear();
    await world.drained(30 * MINUTE);
    expect(world.service.merged.size).toBe(1);
  });

  test("profiles are sent in the order of their first waiting operation", async () => {
    const world = new World();
    const host = await world.host();
    world.service.fault = () => UNREACHABLE;
    await host.init();
    await host.track(2);
    await world.time.wait(host.liveChat({ id: "chat", kind: "lead", personId: "anna", token: "t" }));
    await host.track(2);
    await world.time.wait(host.liveChat(null, "chat"));
    await host.track(2);
    world.service.fault = () => undefined;
    await world.drained(10 * MINUTE);
    const kinds = world.service.applied.map(({ profile }) => `${profile.kind} ${profile.id}`);
    expect(kinds.filter((kind, index) => kind !== kinds[index - 1])).toHaveLength(3);
    expect(kinds[0]).toMatch(/^visitor/);
    expect(world.service.appliedIds()).toEqual([...world.accepted.keys()]);
  });

  test("a registration that expires at once is requested anew with each batch, and makes few requests", async () => {
    const { world, host, service } = await World.withHost();
    service.revokeTokens();
    service.fault = ({ route }) =>
      route === "registrations"
        ? {
            kind: "answer",
            answer: {
              status: 200,
              body: { token: "t", expiresAt: "", expiresInMs: 0, definitionsVersion: "1" },
            },
          }
        : answering(503);
    await host.track();
    await world.time.advance(1 * MINUTE);
    expect(service.requests.length).toBeLessThan(60);
  });

  test("counts without rows are corrected, not looked for again and again", async () => {
    const { world, host, service } = await World.withHost();
    service.fault = () => UNREACHABLE;
    await host.track(3);
    await world.time.advance(10);
    const rows = await world.waiting();
    await world.store.commit({}, () => ({ change: { remove: rows.map(({ seq }) => seq) }, result: null }));
    service.fault = () => undefined;
    await world.drained(10 * MINUTE);
    expect((await host.state()).outbox.waiting).toBe(0);
  });

  test("a batch costs few transactions", async () => {
    const { world, host } = await World.withHost();
    await world.time.wait(host.submitEvents(5_000));
    world.commits = 0;
    world.reads = 0;
    await world.drained();
    // Ten batches: one transaction to read the rows, one to settle them; and a few for the start.
    expect(world.commits).toBeLessThanOrEqual(12);
    expect(world.reads).toBeLessThanOrEqual(16);
  });

  test("when the disk fails in the middle, what is in the outbox is sent once it is back", async () => {
    const { world, host, service } = await World.withHost();
    service.script("batches", { kind: "slow", delayMs: 100 });
    await host.track(3);
    await world.time.until(() => service.requestsTo("batches").length === 1);
    world.storageFails = true;
    await world.time.advance(1 * MINUTE);
    const [refused] = await host.track();
    expect(refused?.error).toMatchObject({
      code: 2016,
      message: expect.stringContaining("the disk is full"),
    });
    world.storageFails = false;
    await world.drained(10 * SECOND);
    expect(new Set(service.appliedIds()).size).toBe(service.applied.length);
  });

  test("late activity of a lead that has long left is sent with its Live Chat token", async () => {
    const { world, host, service } = await World.withHost();
    const at = world.now() + 1 * MINUTE;
    await world.time.wait(host.liveChat({ id: "chat", kind: "lead", personId: "anna", token: "t" }));
    await world.time.advance(2 * MINUTE);
    await world.time.wait(host.liveChat(null, "chat"));
    await world.drained();
    await world.time.advance(50 * MINUTE);
    await world.time.wait(host.submitEvents(1, "journal", { at }));
    await world.drained(1 * SECOND);
    expect(service.appliedIds({ kind: "lead", id: "anna" })).toContain("journal-1");
  });

  test("a service that gives the token again that it refused gets two batches and no more", async () => {
    const { world, host, service } = await World.withHost();
    const token = (await world.record()).lanes[0]?.registration?.token;
    const body = { token, expiresAt: "", expiresInMs: 60 * MINUTE, definitionsVersion: "1" };
    service.fault = ({ route }) =>
      route === "registrations" ? { kind: "answer", answer: { status: 200, body } } : answering(401);
    await host.track();
    await world.time.advance(14 * MINUTE);
    expect(service.requestsTo("batches")).toHaveLength(2);
    expect(await status(world)).toMatchObject({ status: "stopped", lastError: { code: 2018 } });
  });

  test("a registration whose token no header can carry is no response of this service, and is requested again", async () => {
    const { world, host, service } = await World.withHost();
    service.revokeTokens();
    const body = { token: "tok\u200ben", expiresAt: "", expiresInMs: 60 * MINUTE, definitionsVersion: "1" };
    service.script("registrations", { kind: "answer", answer: { status: 200, body } });
    await host.track();
    await world.time.until(async () => (await world.record()).delivery.failures === 1);
    expect(await status(world)).toMatchObject({
      lastError: { code: 2101, message: expect.stringContaining("answered 200 with something else") },
    });
    await world.drained(10 * SECOND);
    expect(service.requestsTo("batches").map(({ authorization }) => authorization)).not.toContain(
      "Bearer tok\u200ben",
    );
  });
});
