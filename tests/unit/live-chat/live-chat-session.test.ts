import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { LiveChatSessionSource } from "../../../src/live-chat/live-chat-session.js";
import { liveChatSession } from "../../../src/live-chat/live-chat-session.js";
import type { LiveChatSession } from "../../../src/protocol/api.js";
import { MINUTE, SECOND } from "../../../src/protocol/wire.js";
import type { FakeTab } from "./fake-browser.js";
import { FakeBrowser, settled } from "./fake-browser.js";
import type { Fault } from "./fake-live-chat-service.js";
import { FakeLiveChatService, jwtOf } from "./fake-live-chat-service.js";

let service: FakeLiveChatService;
let browser: FakeBrowser;

beforeEach(() => {
  vi.useFakeTimers({ now: new Date("2026-01-01") });
  vi.spyOn(console, "warn").mockReturnValue();
  service = new FakeLiveChatService();
  browser = new FakeBrowser(service);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

type Opened = LiveChatSessionSource & { tab: FakeTab; reports: (LiveChatSession | null)[] };

const open = (): Opened => {
  const tab = browser.open();
  const chat = liveChatSession({}, tab);
  const reports: (LiveChatSession | null)[] = [];
  chat.subscribe((session) => reports.push(session));
  return Object.assign(chat, { tab, reports });
};
/** The page is replaced by a new one. */
const reload = (chat: Opened): Opened => {
  chat.tab.end();
  chat.close();
  return open();
};
const kindOf = (chat: LiveChatSessionSource) => chat.session()?.kind;
const failing = (...faults: (Fault | undefined)[]): void => {
  service.fault = (request) => (request === "GET /current" ? undefined : faults.shift());
};

describe("a chat that is started", () => {
  test("makes one session, of a lead", async () => {
    const chat = open();
    chat.sessionStarted();
    chat.sessionStarted();
    await settled();
    chat.sessionStarted();
    await settled();
    expect(service.requests).toEqual(["POST "]);
    expect(chat.session()).toEqual({
      id: expect.any(String) as string,
      kind: "lead",
      personId: service.open[0]?.id,
      token: expect.any(String) as string,
    });
    expect(chat.reports).toEqual([chat.session()]);
  });

  test("makes one session though two tabs report it at once", async () => {
    const [one, other] = [open(), open()];
    one.sessionStarted();
    other.sessionStarted();
    await settled();
    expect(service.requests).toEqual(["POST "]);
    expect(one.session()).not.toBeNull();
    expect(other.session()).toEqual(one.session());
    expect(other.reports).toEqual(one.reports);
  });

  test("leaves one session in a browser without Web Locks, where two tabs make the exchange", async () => {
    browser.hasLocks = false;
    const [one, other] = [open(), open()];
    one.sessionStarted();
    other.sessionStarted();
    await settled();
    expect(service.requests.filter((request) => request === "POST ")).toHaveLength(2);
    expect(service.open).toHaveLength(1);
    expect(service.open[0]?.id).toBe(one.session()?.personId);
    expect(other.session()).toEqual(one.session());
    expect(one.reports).toHaveLength(1);
  });

  test("is known at once to the next page and to a new tab", async () => {
    const chat = open();
    chat.sessionStarted();
    await settled();
    const session = chat.session();
    expect(reload(chat).session()).toEqual(session);
    expect(open().session()).toEqual(session);
  });

  test("is exchanged by another tab if the first one is closed meanwhile", async () => {
    const [one, other] = [open(), open()];
    service.fault = () => "unreachable";
    one.sessionStarted();
    await settled();
    one.tab.end();
    one.close();
    service.fault = () => undefined;
    await vi.advanceTimersByTimeAsync(1 * SECOND);
    expect(kindOf(other)).toBe("lead");
  });

  test("is exchanged by the next page if this one goes before the service answers", async () => {
    const chat = open();
    service.fault = () => "unreachable";
    chat.sessionStarted();
    await settled();
    service.fault = () => undefined;
    const next = reload(chat);
    await vi.advanceTimersByTimeAsync(1 * SECOND);
    expect(kindOf(next)).toBe("lead");
  });
});

describe("a sign-in", () => {
  test("makes one session, of the user", async () => {
    const chat = open();
    chat.signedIn(jwtOf("ann@example.com"));
    await settled();
    chat.signedIn(jwtOf("ann@example.com"));
    await settled();
    expect(service.requests).toEqual(["POST /authenticate"]);
    expect(chat.session()?.personId).toBe("person of ann@example.com");
  });

  test("of the same user in two tabs is exchanged once", async () => {
    const [one, other] = [open(), open()];
    one.signedIn(jwtOf("ann@example.com"));
    other.signedIn(jwtOf("ann@example.com"));
    await settled();
    expect(service.requests).toEqual(["POST /authenticate"]);
    expect(other.session()).toEqual(one.session());
  });

  test("on each page load is exchanged once", async () => {
    const chat = open();
    chat.signedIn(jwtOf("ann@example.com"));
    await settled();
    const next = reload(chat);
    next.signedIn(jwtOf("ann@example.com"));
    await settled();
    expect(service.requests).toEqual(["POST /authenticate"]);
  });

  test("after a chat goes on in the chat's session", async () => {
    const chat = open();
    chat.sessionStarted();
    await settled();
    const lead = chat.session();
    chat.signedIn(jwtOf("ann@example.com"));
    expect(chat.session()).toEqual(lead);
    await settled();
    expect(chat.session()).toMatchObject({ id: lead?.id, kind: "authenticated" });
    expect(service.requests).toEqual(["POST ", "POST /authenticate"]);
  });

  test("with a chat that starts at the same time makes no lead", async () => {
    const chat = open();
    chat.sessionStarted();
    chat.signedIn(jwtOf("ann@example.com"));
    await settled();
    expect(service.open).toEqual([{ kind: "authenticated", id: "person of ann@example.com" }]);
  });

  test("of another user ends the session of the one before at once, and on the service", async () => {
    const chat = open();
    chat.signedIn(jwtOf("ann@example.com"));
    await settled();
    chat.signedIn(jwtOf("bob@example.com"));
    expect(chat.session()).toBeNull();
    await settled();
    expect(chat.session()?.personId).toBe("person of bob@example.com");
    expect(service.open).toEqual([{ kind: "authenticated", id: "person of bob@example.com" }]);
  });

  test("by a function fetches a JWT only when one is needed, and a fresh one for each attempt", async () => {
    const chat = open();
    const fetchJwt = vi.fn<() => Promise<string>>(() => Promise.resolve(jwtOf("ann@example.com")));
    failing("lost");
    chat.signedIn(fetchJwt, "ann");
    await vi.advanceTimersByTimeAsync(1 * SECOND);
    expect(kindOf(chat)).toBe("authenticated");
    expect(fetchJwt).toHaveBeenCalledTimes(2);
    const next = reload(chat);
    next.signedIn(fetchJwt, "ann");
    await settled();
    expect(fetchJwt).toHaveBeenCalledTimes(2);
  });

  test("by a function that fails is tried again", async () => {
    const chat = open();
    const jwts = [Promise.reject(new Error("offline")), Promise.resolve(jwtOf("ann@example.com"))];
    chat.signedIn(() => jwts.shift()!, "ann");
    await settled();
    expect(chat.session()).toBeNull();
    await vi.advanceTimersByTimeAsync(1 * SECOND);
    expect(kindOf(chat)).toBe("authenticated");
  });

  test("waits for a promise of a JWT", async () => {
    const chat = open();
    chat.signedIn(Promise.resolve(jwtOf("ann@example.com")), "ann");
    await settled();
    expect(kindOf(chat)).toBe("authenticated");
  });

  test("is left to the tab that has a JWT", async () => {
    const [other, one] = [open(), open()];
    failing("unreachable");
    one.signedIn(jwtOf("ann@example.com"));
    await settled();
    browser.comeBack("online");
    await settled();
    expect(service.requests).toEqual(["POST /authenticate", "POST /authenticate"]);
    expect(kindOf(other)).toBe("authenticated");
  });

  test("that waits for the tab with the JWT lets no other tab make a lead of the user", async () => {
    const [other, one] = [open(), open()];
    failing("unreachable");
    one.signedIn(jwtOf("ann@example.com"));
    await settled();
    other.sessionStarted();
    await vi.advanceTimersByTimeAsync(1 * SECOND);
    expect(service.open).toEqual([{ kind: "authenticated", id: "person of ann@example.com" }]);
    expect(service.requests).toEqual(["POST /authenticate", "POST /authenticate"]);
  });

  test("without a name for the user is ignored", async () => {
    const chat = open();
    chat.signedIn("no JWT");
    await settled();
    expect(service.requests).toEqual([]);
  });
});

describe("a sign-out", () => {
  test("ends the session at once in every tab, and on the service", async () => {
    const [one, other] = [open(), open()];
    one.signedIn(jwtOf("ann@example.com"));
    await settled();
    one.signedOut();
    expect(one.session()).toBeNull();
    await settled();
    expect(other.reports.at(-1)).toBeNull();
    expect(service.requests).toEqual(["POST /authenticate", "DELETE /current"]);
    expect(service.open).toEqual([]);
  });

  test("reported by every tab is exchanged once", async () => {
    const tabs = [open(), open(), open()];
    tabs[0]!.sessionStarted();
    await settled();
    for (const tab of tabs) tab.signedOut();
    await settled();
    for (const tab of tabs) tab.signedOut();
    await settled();
    expect(service.requests).toEqual(["POST ", "DELETE /current"]);
  });

  test("in any tab ends the session that there is, whichever tab began it", async () => {
    const [one, other] = [open(), open()];
    one.sessionStarted();
    await settled();
    one.signedOut();
    one.sessionStarted();
    await settled();
    other.signedOut();
    expect(other.session()).toBeNull();
    await settled();
    expect(one.session()).toBeNull();
    expect(service.open).toEqual([]);
  });

  test("during the exchange ends the session that comes of it", async () => {
    const chat = open();
    chat.sessionStarted();
    chat.signedOut();
    await settled();
    expect(chat.session()).toBeNull();
    expect(service.open).toEqual([]);
  });

  test("that does not reach the service holds, and is repeated by the next page", async () => {
    const chat = open();
    chat.sessionStarted();
    await settled();
    service.fault = () => "unreachable";
    chat.signedOut();
    await settled();
    expect(service.open).toHaveLength(1);
    service.fault = () => undefined;
    const next = reload(chat);
    expect(next.session()).toBeNull();
    await vi.advanceTimersByTimeAsync(1 * SECOND);
    expect(service.open).toEqual([]);
  });

  test("then a new chat makes a new session", async () => {
    const chat = open();
    chat.sessionStarted();
    await settled();
    const first = chat.session();
    chat.signedOut();
    chat.sessionStarted();
    await settled();
    expect(chat.session()?.id).not.toBe(first?.id);
    expect(service.open).toEqual([{ kind: "lead", id: chat.session()?.personId }]);
  });
});

describe("a session that the service has ended", () => {
  test("is over here when the page is loaded or seen again a minute later", async () => {
    const chat = open();
    chat.sessionStarted();
    await settled();
    service.terminate(chat.session()!.token);
    browser.comeBack("visible");
    await settled();
    expect(service.requests).toEqual(["POST "]);
    vi.setSystemTime(Date.now() + 1 * MINUTE);
    browser.comeBack("visible");
    await settled();
    expect(service.requests).toEqual(["POST ", "GET /current"]);
    expect(chat.session()).toBeNull();
    expect(chat.reports.at(-1)).toBeNull();
  });

  test("is asked for by one tab of many", async () => {
    const tabs = [open(), open(), open()];
    tabs[0]!.sessionStarted();
    await settled();
    vi.setSystemTime(Date.now() + 1 * MINUTE);
    browser.comeBack("visible");
    await settled();
    expect(service.requests).toEqual(["POST ", "GET /current"]);
    expect(tabs.map(kindOf)).toEqual(["lead", "lead", "lead"]);
  });

  test("goes on while the service cannot be asked", async () => {
    const chat = open();
    chat.sessionStarted();
    await settled();
    service.fault = () => ({ status: 503 });
    vi.setSystemTime(Date.now() + 1 * MINUTE);
    browser.comeBack("visible");
    await settled();
    await vi.advanceTimersByTimeAsync(30 * SECOND);
    expect(kindOf(chat)).toBe("lead");
    expect(service.requests).toEqual(["POST ", "GET /current"]);
  });
});

describe("an exchange that fails", () => {
  test.each<Fault>(["unreachable", { status: 401 }, { status: 404 }, { status: 500 }, { status: 503 }])(
    "with %j is repeated with back-off",
    async (fault) => {
      const chat = open();
      failing(fault, fault, fault);
      chat.sessionStarted();
      await settled();
      await vi.advanceTimersByTimeAsync(999);
      expect(service.requests).toHaveLength(1);
      await vi.advanceTimersByTimeAsync(1);
      expect(service.requests).toHaveLength(2);
      await vi.advanceTimersByTimeAsync(2 * SECOND);
      expect(service.requests).toHaveLength(3);
      await vi.advanceTimersByTimeAsync(4 * SECOND);
      expect(kindOf(chat)).toBe("lead");
    },
  );

  test("is repeated once for all tabs", async () => {
    const tabs = [open(), open(), open()];
    failing("unreachable");
    for (const tab of tabs) tab.sessionStarted();
    await settled();
    await vi.advanceTimersByTimeAsync(1 * SECOND);
    expect(service.open).toHaveLength(1);
    expect(tabs.map(kindOf)).toEqual(["lead", "lead", "lead"]);
  });

  test("is repeated when the browser is online again", async () => {
    const chat = open();
    failing("unreachable", "unreachable", "unreachable");
    chat.sessionStarted();
    await vi.advanceTimersByTimeAsync(3 * SECOND);
    browser.comeBack("online");
    await settled();
    expect(kindOf(chat)).toBe("lead");
  });

  test("is repeated at once if the browser came online while it was failing", async () => {
    const chat = open();
    let fail!: (error: Error) => void;
    vi.spyOn(service, "fetch").mockImplementationOnce(() => new Promise((_, reject) => (fail = reject)));
    chat.sessionStarted();
    await settled();
    browser.comeBack("online");
    fail(new TypeError("Failed to fetch"));
    await settled();
    expect(kindOf(chat)).toBe("lead");
  });

  test("is not repeated before Retry-After, whatever happens", async () => {
    const chat = open();
    failing({ status: 429, retryAfter: "60" });
    chat.sessionStarted();
    await settled();
    browser.comeBack("online");
    const next = reload(chat);
    next.sessionStarted();
    await vi.advanceTimersByTimeAsync(59_999);
    expect(service.requests).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(kindOf(next)).toBe("lead");
  });

  test("obeys a Retry-After that is a date", async () => {
    const chat = open();
    failing({ status: 503, retryAfter: new Date(Date.now() + 60 * SECOND).toUTCString() });
    chat.sessionStarted();
    await vi.advanceTimersByTimeAsync(59_999);
    expect(service.requests).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(kindOf(chat)).toBe("lead");
  });

  test("is not waited for until a clock that was set back has caught up", async () => {
    const chat = open();
    failing({ status: 503, retryAfter: "60" });
    chat.sessionStarted();
    await settled();
    vi.setSystemTime(Date.now() - 24 * 60 * MINUTE);
    browser.comeBack("visible");
    await settled();
    expect(kindOf(chat)).toBe("lead");
  });

  test("ends with the chat", async () => {
    const chat = open();
    failing("unreachable");
    chat.sessionStarted();
    await settled();
    chat.signedOut();
    await vi.advanceTimersByTimeAsync(10 * MINUTE);
    expect(service.requests).toEqual(["POST "]);
  });

  test("with an answer that is no session is repeated", async () => {
    const chat = open();
    failing({ status: 200 });
    chat.sessionStarted();
    await settled();
    expect(chat.session()).toBeNull();
    await vi.advanceTimersByTimeAsync(1 * SECOND);
    expect(kindOf(chat)).toBe("lead");
  });

  test("is given up after 10 s without an answer, and repeated", async () => {
    const chat = open();
    vi.spyOn(service, "fetch").mockImplementationOnce(
      (_, { signal }) =>
        new Promise((_resolve, reject) =>
          signal?.addEventListener("abort", () => reject(new Error("aborted"))),
        ),
    );
    chat.sessionStarted();
    await vi.advanceTimersByTimeAsync(11 * SECOND);
    expect(kindOf(chat)).toBe("lead");
  });
});

describe("the page", () => {
  test("without a chat asks the service nothing", async () => {
    const chat = open();
    await settled();
    browser.comeBack("visible");
    await vi.advanceTimersByTimeAsync(10 * MINUTE);
    expect(chat.session()).toBeNull();
    expect(service.requests).toEqual([]);
  });

  test("stores nothing for a sign-out that ends nothing", async () => {
    open().signedOut();
    await settled();
    expect(browser.storage.size).toBe(0);
  });

  test("goes on from nothing where what was stored is damaged", async () => {
    const chat = open();
    chat.sessionStarted();
    await settled();
    for (const key of browser.storage.keys()) browser.storage.set(key, '{"session":7}');
    const next = reload(chat);
    expect(next.session()).toBeNull();
    next.sessionStarted();
    await settled();
    expect(kindOf(next)).toBe("lead");
  });

  test("whose listener throws reports to the others", async () => {
    const thrown = vi.fn<(error: unknown) => void>();
    vi.stubGlobal("reportError", thrown);
    const chat = liveChatSession({}, browser.open());
    const reports: unknown[] = [];
    chat.subscribe(() => {
      throw new Error("the site's");
    });
    chat.subscribe((session) => reports.push(session?.kind));
    chat.sessionStarted();
    await settled();
    vi.unstubAllGlobals();
    expect(reports).toEqual(["lead"]);
    expect(thrown).toHaveBeenCalledWith(new Error("the site's"));
  });

  test("that has closed its source asks nothing more", async () => {
    const chat = open();
    failing("unreachable");
    chat.sessionStarted();
    await settled();
    chat.close();
    chat.signedIn(jwtOf("ann@example.com"));
    await vi.advanceTimersByTimeAsync(10 * MINUTE);
    expect(service.requests).toEqual(["POST "]);
  });

  test("sends to the endpoint that it is given", async () => {
    const fetch = vi.spyOn(service, "fetch");
    liveChatSession({ endpoint: new URL("https://people.example/base/") }, browser.open()).sessionStarted();
    await settled();
    expect(fetch.mock.calls[0]?.[0]).toBe("https://people.example/base/v1/live-chat/sessions");
  });
});
