import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { IdentifyingWidgetOptions, WidgetEvents } from "../../../src/live-chat/widget-session.js";
import { FakeBrowser, settled } from "./fake-browser.js";
import type { Fault } from "./fake-live-chat-service.js";
import { FakeLiveChatService, jwtOf } from "./fake-live-chat-service.js";

let warnings: string[];
let service: FakeLiveChatService;
let browser: FakeBrowser;

beforeEach(() => {
  vi.useFakeTimers();
  // What was warned of is remembered by a module: each test has its own.
  vi.resetModules();
  warnings = [];
  vi.spyOn(console, "warn").mockImplementation((text: string) => void warnings.push(text));
  service = new FakeLiveChatService();
  browser = new FakeBrowser(service);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

/** A widget that does what the test has it do. */
const open = async (options: IdentifyingWidgetOptions = {}, isWatchable = true) => {
  const { widgetSession } = await import("../../../src/live-chat/widget-session.js");
  let events!: WidgetEvents;
  const watch = (_: unknown, given: WidgetEvents): void => {
    if (!isWatchable) throw new TypeError("Cannot redefine property");
    events = given;
  };
  const tab = browser.open();
  const chat = widgetSession({ name: "Widget", watch }, options, tab, tab.page);
  return { chat, events };
};

describe("a development build warns", () => {
  test.each<[Fault, string]>([
    ["unreachable", "CORS_ORIGINS"],
    [{ status: 404 }, 'The option "endpoint" must be the People service\'s address'],
    [{ status: 401 }, "refuses the JWT (401)"],
    [{ status: 429 }, "too many chats from this address"],
    [{ status: 200 }, "but no session"],
    [{ status: 500 }, "answers 500"],
  ])("once that an exchange failed with %j, and says what to do", async (fault, text) => {
    const { chat } = await open();
    service.fault = () => fault;
    chat.signedIn(() => jwtOf("ann@example.com"), "ann");
    await vi.advanceTimersByTimeAsync(60_000);
    expect(warnings).toEqual([expect.stringContaining(text)]);
  });

  test("that a JWT could not be fetched", async () => {
    const { chat } = await open();
    chat.signedIn(() => Promise.reject(new Error("no such user")), "ann");
    await settled();
    expect(warnings).toEqual([expect.stringContaining("no such user")]);
  });

  test("that a sign-in names no user", async () => {
    const { chat } = await open();
    chat.signedIn("no JWT");
    expect(warnings).toEqual([expect.stringContaining("needs the user's id")]);
  });

  test("that an adapter has no JWT for the user whom its widget was told of", async () => {
    const { chat, events } = await open();
    events.identified("ann");
    await settled();
    expect(chat.session()).toBeNull();
    expect(warnings).toEqual([expect.stringContaining('the option "jwt"')]);
  });

  test("that a widget cannot be watched, and leaves the page alone", async () => {
    const { chat } = await open({}, false);
    chat.sessionStarted();
    await settled();
    expect(warnings).toEqual([expect.stringContaining("cannot be watched on this page")]);
    expect(chat.session()?.kind).toBe("lead");
  });

  test("of nothing while the browser is offline", async () => {
    browser.isOnline = false;
    service.fault = () => "unreachable";
    const { chat } = await open();
    chat.sessionStarted();
    await settled();
    expect(warnings).toEqual([]);
  });
});

test("a production build warns of nothing", async () => {
  vi.stubEnv("NODE_ENV", "production");
  service.fault = () => ({ status: 500 });
  const { chat, events } = await open();
  events.identified("ann");
  chat.sessionStarted();
  await settled();
  expect(service.requests).toEqual(["POST "]);
  expect(warnings).toEqual([]);
});
