/** Profiles that the service refuses to register: each stops alone, says so, and can be tried again or let go of. */
import { describe, expect, test } from "vitest";
import { MINUTE, SECOND } from "../../../../src/protocol/wire.js";
import { answering } from "../../../support/service-requests.js";
import type { LoadView } from "../../../../src/protocol/host.js";
import { World } from "../../../support/world.js";

const lead = (personId: string) =>
  ({ id: `chat-${personId}`, kind: "lead", personId, token: `token-of-${personId}` }) as const;
const ANNA = { kind: "lead", id: "anna" } as const;
const idsOf = (rows: readonly { id: string }[]): string[] => rows.map(({ id }) => id);

/** Anna's lead cannot be registered; who was there before and comes after can. */
const withRefusedLead = async (status: 400 | 404 = 404) => {
  const all = await World.withHost();
  const { world, host, service } = all;
  service.refuseToRegister(ANNA, status);
  await world.time.wait(host.liveChat(lead("anna")));
  await host.track(2);
  await world.time.until(async () => (await host.state()).delivery.status === "stopped", 10 * SECOND);
  return all;
};

/** The visitor, of whom something waits, cannot be registered any more, and has become Anna's lead. */
const withRefusedVisitor = async () => {
  const all = await World.withHost();
  const { world, host, service } = all;
  const visitor = (await host.state()).profile!.id;
  service.refuseToRegister({ kind: "visitor", id: visitor }, 404);
  service.revokeTokens();
  await host.track(2);
  await world.time.until(async () => (await host.state()).delivery.status === "stopped", 10 * SECOND);
  await world.time.wait(host.liveChat(lead("anna")));
  await host.track(2);
  return { ...all, visitor };
};

describe("a profile that cannot be registered", () => {
  test.each([400, 404] as const)("stops alone at %i, and the others are delivered", async (status) => {
    const { world, host, service } = await withRefusedLead(status);
    expect((await world.record()).delivery).toMatchObject({ failures: 0 });
    await world.time.wait(host.liveChat(null, "chat-anna"));
    await host.track(3);
    const visitor = (await host.state()).profile!;
    await world.time.until(() => service.appliedIds(visitor).length > 3, 10 * SECOND);
    await world.time.advance(100);
    expect(idsOf(await world.waiting())).toEqual(
      expect.arrayContaining([expect.stringMatching(/^m-/), "host-1-page-3", "host-1-page-4"]),
    );
    expect((await world.waiting()).filter(({ profile }) => profile.id !== "anna")).toEqual([]);
    expect(await world.rejected()).toEqual([]);
  });

  test("is named in the state, also once others are delivered", async () => {
    const { world, host, service } = await withRefusedLead();
    const told = {
      status: "stopped",
      nextAttemptAt: expect.any(String),
      lastError: { code: 4040, message: "the lead anna cannot be registered: no", origin: "people-service" },
    };
    expect((await host.state()).delivery).toMatchObject(told);
    await world.time.wait(host.liveChat(null, "chat-anna"));
    service.script("batches", undefined, { kind: "slow", delayMs: 1 * SECOND });
    await host.track();
    await world.time.advance(1_500);
    await host.track();
    await world.time.until(async () => (await host.state()).delivery.status === "sending", 5 * SECOND);
    expect((await host.state()).delivery).toMatchObject({ lastError: told.lastError });
    await world.time.until(async () => (await host.state()).delivery.status === "stopped", 10 * SECOND);
    expect((await host.state()).delivery).toMatchObject(told);
  });

  test("does not hide when the others are tried next", async () => {
    const { world, host, service } = await withRefusedLead();
    await world.time.wait(host.liveChat(null, "chat-anna"));
    service.fault = ({ route }) => (route === "batches" ? answering(503, 5030) : undefined);
    await host.track();
    await world.time.until(async () => (await world.record()).delivery.failures === 1);
    const { delivery } = await host.state();
    expect(delivery).toMatchObject({ status: "retrying", lastError: { code: 5030 } });
    expect(Date.parse(delivery.nextAttemptAt!)).toBeLessThanOrEqual(world.now() + 1 * SECOND);
  });

  test("without the service's body, the answer is a failure that is retried", async () => {
    const { world, host, service } = await World.withHost();
    service.fault = ({ body }) =>
      body.includes('"anna"') ? { kind: "answer", answer: { status: 404 } } : undefined;
    await world.time.wait(host.liveChat(lead("anna")));
    await world.time.until(async () => (await world.record()).delivery.failures === 2, 10 * SECOND);
    expect(await world.waiting()).not.toEqual([]);
    service.fault = () => undefined;
    await world.drained(10 * SECOND);
  });

  test("lets init() succeed, which records the page view", async () => {
    const { world, host, service } = await World.withHost();
    service.refuseToRegister(ANNA, 404);
    const view = { pageId: "view", command: host.event("view") as LoadView["command"] };
    expect(await host.init(lead("anna"), view)).toMatchObject({ success: true, view: { n: 1 } });
    expect(idsOf(await world.waiting())).toContain("view-1");
    expect((await host.state()).delivery).toMatchObject({ status: "stopped", lastError: { code: 4040 } });
  });

  test.each<[string, (world: World) => Promise<unknown>]>([
    ["init", (world) => world.hosts[0]!.init()],
    ["a host's start", (world) => world.host()],
    ["word of being online", (world) => world.time.wait(world.hosts[0]!.tracker.signal("online"))],
    [
      "a new token",
      (world) => world.time.wait(world.hosts[0]!.liveChat({ ...lead("anna"), token: world.uuid() })),
    ],
    ["retryRejected()", (world) => world.time.wait(world.hosts[0]!.tracker.retryRejected())],
    ["15 min later", (world) => world.time.advance(15 * MINUTE)],
  ])("gets one probe request at: %s", async (_, probe) => {
    const { world, service } = await withRefusedLead();
    service.requests.length = 0;
    await probe(world);
    await world.time.advance(1 * MINUTE);
    expect(service.requestsTo("registrations")).toHaveLength(1);
    service.registerAll();
    await probe(world);
    await world.drained(1 * MINUTE);
    const { lanes } = await world.record();
    expect(lanes.map(({ profile }) => profile)).toContainEqual(ANNA);
    expect(lanes.filter(({ unregistered }) => unregistered)).toEqual([]);
  });

  test("is forgotten at another endpoint", async () => {
    const { world, host, service } = await withRefusedLead();
    service.registerAll();
    await world.time.wait(host.tracker.attach({ ...host.hello, endpoint: "https://other.test" }));
    await host.track();
    await world.drained(10 * SECOND);
    expect((await host.state()).delivery).toEqual({ status: "idle" });
  });
});

describe("discardRejected() for a profile that cannot be registered", () => {
  test("discards what waits for it, and nothing else", async () => {
    const { world, host, service } = await withRefusedLead();
    await world.time.wait(host.liveChat(null, "chat-anna"));
    service.fault = ({ route }) => (route === "batches" ? answering(503) : undefined);
    await host.track(2, "other");
    const before = await world.waiting();
    const discarded = await world.time.wait(host.tracker.discardRejected());
    const left = await world.waiting();
    expect(discarded).toBe(before.length - left.length);
    expect(before.filter(({ profile }) => profile.id === "anna")).toHaveLength(discarded);
    expect(idsOf(left)).toEqual(expect.arrayContaining(["other-1", "other-2"]));
    expect((await host.state()).outbox).toEqual({ waiting: left.length, rejected: 0 });
    service.fault = () => undefined;
    await world.drained(10 * MINUTE);
    expect((await host.state()).delivery.status).toBe("idle");
  });

  test("works right after init(), while its probe request is pending", async () => {
    const { world, host, service } = await withRefusedLead();
    service.fault = ({ route }) => (route === "registrations" ? { kind: "slow", delayMs: 500 } : undefined);
    await host.init();
    expect(await world.time.wait(host.tracker.discardRejected())).toBeGreaterThan(2);
    expect(await world.waiting()).toEqual([]);
  });

  test("discards only the ids that are named", async () => {
    const { world, host } = await withRefusedLead();
    const before = idsOf(await world.waiting());
    expect(await world.time.wait(host.tracker.discardRejected(["host-1-page-3", "unknown"]))).toBe(1);
    expect(idsOf(await world.waiting())).toEqual(before.filter((id) => id !== "host-1-page-3"));
  });

  test("discards thousands, in steps", async () => {
    const { world, host } = await withRefusedLead();
    await world.time.wait(host.submitEvents(2_500, "many"));
    const { waiting } = (await host.state()).outbox;
    world.commits = 0;
    expect(await world.time.wait(host.tracker.discardRejected())).toBe(waiting);
    expect(world.commits).toBeGreaterThan(2);
    expect(await world.waiting()).toEqual([]);
    expect((await host.state()).outbox).toEqual({ waiting: 0, rejected: 0 });
  });

  test("leaves alone what waits for another reason", async () => {
    const { world, host, service } = await World.withHost();
    service.fault = ({ route }) => (route === "batches" ? answering(403) : undefined);
    await host.track(2);
    await world.time.until(async () => (await host.state()).delivery.status === "stopped");
    expect(await world.time.wait(host.tracker.discardRejected())).toBe(0);
    expect(await world.waiting()).toHaveLength(2);
  });

  test("goes on storing what is called afterwards", async () => {
    const { world, host, service } = await withRefusedLead();
    await world.time.wait(host.tracker.discardRejected());
    expect(await host.track(1, "after")).toMatchObject([{ n: 1 }]);
    expect(idsOf(await world.waiting())).toEqual(["after-1"]);
    service.registerAll();
    await world.time.wait(host.tracker.retryRejected());
    await world.drained(10 * SECOND);
  });
});

describe("the merge of a visitor that cannot be registered", () => {
  test("stops only the profile that it goes into", async () => {
    const { world, host, service } = await withRefusedVisitor();
    await world.time.advance(1 * MINUTE);
    expect((await host.state()).delivery.lastError?.message).toMatch(/^the visitor .* cannot be registered/);
    expect(service.appliedIds({ kind: "lead", id: "anna" })).toEqual([]);
    await world.time.wait(host.liveChat(lead("bert")));
    await host.track(1, "bert");
    await world.time.advance(10 * SECOND);
    expect(service.appliedIds({ kind: "lead", id: "bert" })).toContain("bert-1");
  });

  test("is discarded with what waits for the visitor, and the rest is delivered at once", async () => {
    const { world, host, service, visitor } = await withRefusedVisitor();
    await world.time.advance(1 * MINUTE);
    const discarded = await world.time.wait(host.tracker.discardRejected());
    await world.drained(10 * SECOND);
    expect(discarded).toBe(3);
    expect(service.merged.size).toBe(0);
    expect(service.appliedIds({ kind: "lead", id: "anna" })).toEqual(
      expect.arrayContaining(["host-1-page-5", "host-1-page-6"]),
    );
    expect((await world.record()).lanes.some(({ profile }) => profile.id === visitor)).toBe(false);
    expect((await host.state()).delivery).toEqual({ status: "idle" });
  });

  test("arrives, before what came after it, once the visitor can be registered", async () => {
    const { world, host, service } = await withRefusedVisitor();
    await world.time.advance(1 * MINUTE);
    service.registerAll();
    await world.time.wait(host.tracker.retryRejected());
    await world.drained(10 * SECOND);
    const [first] = service.appliedIds({ kind: "lead", id: "anna" });
    expect(first).toMatch(/^m-/);
  });

  test("makes few requests", async () => {
    const { world, service } = await withRefusedVisitor();
    await world.time.advance(1 * MINUTE);
    service.requests.length = 0;
    await world.time.advance(60 * MINUTE);
    expect(service.requests.length).toBeLessThanOrEqual(12);
  });
});
