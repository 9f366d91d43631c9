import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { PeopleTrackingSDK } from "../../../src/main/index.js";
import type { LiveChatSession, LiveChatSource } from "../../../src/main/index.js";
import type { FakePage } from "./fake-page.js";
import { pass, settle } from "./fake-page.js";
import { leavePage, loadPage, using } from "./tracked-page.js";

const SUCCESS = { success: true, data: null };
const lead: LiveChatSession = { id: "s1", kind: "lead", personId: "p1", token: "t1" };
const user: LiveChatSession = { ...lead, kind: "authenticated", personId: "p2" };

class FakeLiveChat implements LiveChatSource {
  listener: ((session: LiveChatSession | null) => void) | undefined;
  unsubscribed = false;
  constructor(public current: LiveChatSession | null = null) {}
  ready = (): Promise<void> => Promise.resolve();
  session = (): LiveChatSession | null => this.current;
  subscribe = (listener: (session: LiveChatSession | null) => void): (() => void) => {
    this.listener = listener;
    return () => void (this.unsubscribed = true);
  };
  change(session: LiveChatSession | null): void {
    this.current = session;
    this.listener?.(session);
  }
}

let page: FakePage;
const start = (liveChat?: LiveChatSource) => {
  const sdk = using(new PeopleTrackingSDK({ ...(liveChat && { liveChat }), pageViews: "manual" }));
  return { sdk, started: sdk.init("key") };
};
const changes = () =>
  page.host.batches.flat().map(({ type, n: _, at: _at, ...rest }) => (type === "liveChat" ? rest : type));

const fail = (): never => {
  throw new Error("no");
};

beforeEach(() => (page = loadPage()));
afterEach(leavePage);

describe("Live Chat", () => {
  test("makes init() answer 4001 at once where it is missing", async () => {
    expect(await start().started).toEqual({
      success: false,
      error: {
        code: 4001,
        name: "InitRequiredError",
        message: "Live Chat is not initialized",
        origin: "fe-snippet",
        platform: "fe-snippet",
      },
    });
    vi.stubGlobal("LiveChat", { ready: true });
    expect(await start().started).toMatchObject({ error: { code: 4001 } });
  });

  test("is read by init(), which sends its session to the host", async () => {
    vi.stubGlobal("LiveChat", new FakeLiveChat(lead));
    expect(await start().started).toEqual(SUCCESS);
    expect(page.host.inits).toMatchObject([{ liveChat: lead }]);
  });

  test("makes init() answer 4001 when it is not ready in 5 s, rejects or throws", async () => {
    const late = start(Object.assign(new FakeLiveChat(), { ready: () => new Promise<void>(() => {}) }));
    await pass(5000);
    expect(await late.started).toMatchObject({ error: { code: 4001 } });
    const rejects = start(
      Object.assign(new FakeLiveChat(), { ready: () => Promise.reject(new Error("no")) }),
    );
    expect(await rejects.started).toMatchObject({ error: { code: 4001 } });
    const throws = start(
      Object.assign(new FakeLiveChat(), {
        ready: () => {
          throw new Error("no");
        },
      }),
    );
    expect(await throws.started).toMatchObject({ error: { code: 4001 } });
    expect(page.hosts.flatMap((host) => host.inits)).toEqual([]);
  });

  test("has each change reported once, and an end with the session that this tab saw", async () => {
    const liveChat = new FakeLiveChat();
    await start(liveChat).started;
    liveChat.change(null);
    liveChat.change(lead);
    liveChat.change({ ...lead });
    liveChat.change(user);
    liveChat.change(null);
    liveChat.change(null);
    await settle();
    expect(changes()).toEqual([{ session: lead }, { session: user }, { session: null, left: "s1" }]);
  });

  test("has a change reported in its place among the calls of its task", async () => {
    const liveChat = new FakeLiveChat();
    const { sdk, started } = start(liveChat);
    await started;
    void sdk.track("before");
    liveChat.change(lead);
    void sdk.track("after");
    await settle();
    expect(changes()).toEqual(["track", { session: lead }, "track"]);
  });

  test("has a change sent again until a host responds", async () => {
    const liveChat = new FakeLiveChat();
    await start(liveChat).started;
    page.prepare = (host) => host.silent.add("submit");
    page.host.silent.add("submit");
    liveChat.change(lead);
    await pass(20_000);
    page.prepare = () => {};
    await pass(4000);
    expect(page.host.stored.get(1)).toMatchObject({ type: "liveChat", session: lead });
  });

  test("ends a session that only the store knows at the second null", async () => {
    const liveChat = new FakeLiveChat();
    page.prepare = (host) => (host.initAnswer = { success: true, rereadLiveChat: "s0" });
    await start(liveChat).started;
    await pass(750);
    expect(changes()).toEqual([]);
    await pass(500);
    expect(changes()).toEqual([{ session: null, left: "s0" }]);
  });

  test("has a session reported that begins before the second look", async () => {
    const liveChat = new FakeLiveChat();
    page.prepare = (host) => (host.initAnswer = { success: true, rereadLiveChat: "s0" });
    await start(liveChat).started;
    liveChat.current = lead;
    await pass(1250);
    expect(changes()).toEqual([{ session: lead }]);
  });

  test("is ignored where it reports no session", async () => {
    const liveChat = new FakeLiveChat({ id: "s1" } as LiveChatSession);
    await start(liveChat).started;
    expect(page.host.inits).toMatchObject([{ liveChat: null }]);
    for (const bad of [undefined, 5, "s1", {}, { ...lead, kind: "guest" }, { ...lead, token: "" }]) {
      liveChat.change(bad as LiveChatSession);
    }
    await settle();
    expect(changes()).toEqual([]);
  });

  test("may throw everywhere but in ready()", async () => {
    const { sdk, started } = start({ ready: () => Promise.resolve(), session: fail, subscribe: fail });
    expect(await started).toEqual(SUCCESS);
    expect(await sdk.track("a")).toEqual(SUCCESS);
    sdk.close();
  });

  test("is unsubscribed from by close()", async () => {
    const liveChat = new FakeLiveChat();
    const { sdk, started } = start(liveChat);
    await started;
    sdk.close();
    expect(liveChat.unsubscribed).toBe(true);
  });
});

describe("a Live Chat session with an id that the service cannot take", () => {
  const unusable: LiveChatSession = { ...user, personId: "x".repeat(129) };

  test("is ignored with one warning for the page, and init() goes on without it", async () => {
    vi.resetModules();
    const warn = vi.spyOn(console, "warn").mockReturnValue();
    const { PeopleTrackingSDK: Fresh } = await import("../../../src/main/index.js");
    const liveChat = new FakeLiveChat(unusable);
    const sdk = using(new Fresh({ liveChat, pageViews: "manual" }));
    expect(await sdk.init("key")).toEqual(SUCCESS);
    liveChat.change({ ...unusable, id: "s2" });
    await settle();
    expect(page.host.inits).toMatchObject([{ liveChat: null }]);
    expect(changes()).toEqual([]);
    expect(warn.mock.calls).toEqual([
      ["A Live Chat session is ignored: its personId must match /^.{1,128}$/s"],
    ]);
  });

  test("is taken up to the longest id", async () => {
    const longest = { ...user, personId: "x".repeat(128) };
    await start(new FakeLiveChat(longest)).started;
    expect(page.host.inits).toMatchObject([{ liveChat: longest }]);
  });

  test("ends the session of another id, so that nothing of it goes to another person", async () => {
    const liveChat = new FakeLiveChat(lead);
    await start(liveChat).started;
    liveChat.change({ ...unusable, id: "s2" });
    await settle();
    expect(changes()).toEqual([{ session: null, left: "s1" }]);
  });

  test("does not end the session that it is", async () => {
    const liveChat = new FakeLiveChat(lead);
    await start(liveChat).started;
    liveChat.change(unusable);
    await settle();
    expect(changes()).toEqual([]);
  });

  test("ends a session that only the store knows if that has another id", async () => {
    page.prepare = (host) => (host.initAnswer = { success: true, rereadLiveChat: "s0" });
    await start(new FakeLiveChat(unusable)).started;
    await pass(1250);
    expect(changes()).toEqual([{ session: null, left: "s0" }]);
  });

  test("does not end the one of its own id that only the store knows", async () => {
    page.prepare = (host) => (host.initAnswer = { success: true, rereadLiveChat: "s1" });
    await start(new FakeLiveChat(unusable)).started;
    await pass(1250);
    expect(changes()).toEqual([]);
  });
});
