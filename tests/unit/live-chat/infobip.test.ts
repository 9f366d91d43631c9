import { describe, expect, test, vi } from "vitest";
import { infobipWidget } from "../../../src/live-chat/widgets/infobip.js";
import type { WidgetPage } from "../../../src/live-chat/widget-session.js";
import { widgetSession } from "../../../src/live-chat/widget-session.js";
import type { FakeWidget } from "./describe-widget.js";
import { describeWidget, isReady, useWidgetSetting } from "./describe-widget.js";
import { settled } from "./fake-browser.js";
import { jwtOf } from "./fake-live-chat-service.js";

type LiveChat = ((...call: unknown[]) => void) & { q?: unknown[]; t?: number };
const liveChatOf = (page: WidgetPage): LiveChat => page["liveChat"] as LiveChat;

/** Each command of the widget's script, by what it answers its callback. */
const answers: Record<string, unknown> = { init: "initialized", auth: "signed in", show: undefined };

const fake = {
  embed(page) {
    page["liveChat"] ??= (...call: unknown[]) => {
      (liveChatOf(page).q ??= []).push(call);
    };
    liveChatOf(page).t = Date.now();
    liveChatOf(page)("init", "widget-id");
  },
  load(page: WidgetPage, refused?: string) {
    const { q = [] } = liveChatOf(page);
    const liveChat = (command: string, _argument: unknown, callback?: (...answer: unknown[]) => void) => {
      queueMicrotask(() =>
        command === refused ? callback?.(new Error("refused")) : callback?.(undefined, answers[command]),
      );
    };
    page["liveChat"] = liveChat;
    for (const call of q as Parameters<typeof liveChat>[]) liveChat(...call);
  },
  // Nothing tells the page: the site does.
  startChat: (_, chat) => chat.sessionStarted(),
  signIn: (page, userId) => liveChatOf(page)("auth", jwtOf(userId)),
  signOut: (_, chat) => chat.signedOut(),
} satisfies FakeWidget;

describe("Infobip Live Chat", () => {
  describeWidget(infobipWidget, { ...fake, load: (page) => fake.load(page) });
});

describe("Infobip's function liveChat", () => {
  const setting = useWidgetSetting();
  const watched = () => {
    const tab = setting.browser.open();
    return { page: tab.page, chat: widgetSession(infobipWidget, {}, tab, tab.page) };
  };

  test("signs a user in by a call that waits for the script", async () => {
    const { page, chat } = watched();
    fake.embed(page);
    fake.signIn(page, "ann@example.com");
    await settled();
    expect(chat.session()).toBeNull();
    fake.load(page);
    await settled();
    expect(chat.session()?.kind).toBe("authenticated");
  });

  test("signs a user in by a call that waited before the adapter came", async () => {
    const tab = setting.browser.open();
    fake.embed(tab.page);
    liveChatOf(tab.page)("auth", jwtOf("ann@example.com"));
    const chat = widgetSession(infobipWidget, {}, tab, tab.page);
    fake.load(tab.page);
    await settled();
    expect(chat.session()?.kind).toBe("authenticated");
  });

  test("calls the site's callbacks, and takes its other commands, as without the adapter", async () => {
    const { page } = watched();
    fake.embed(page);
    const [init, auth, show] = [vi.fn<() => void>(), vi.fn<() => void>(), vi.fn<() => void>()];
    liveChatOf(page)("init", "widget-id", init);
    fake.load(page);
    liveChatOf(page)("auth", jwtOf("ann@example.com"), auth);
    liveChatOf(page)("show", undefined, show);
    await settled();
    expect(init).toHaveBeenCalledExactlyOnceWith(undefined, "initialized");
    expect(auth).toHaveBeenCalledExactlyOnceWith(undefined, "signed in");
    expect(show).toHaveBeenCalledExactlyOnceWith(undefined, undefined);
  });

  test("signs nobody in whom the widget refuses, and is not ready if it does not initialize", async () => {
    const { page, chat } = watched();
    fake.embed(page);
    liveChatOf(page)("auth", jwtOf("ann@example.com"));
    fake.load(page, "auth");
    await settled();
    expect(chat.session()).toBeNull();

    const second = watched();
    fake.embed(second.page);
    fake.load(second.page, "init");
    expect(await isReady(second.chat)).toBe(false);
  });

  test("stays what it is where the page has something else of that name", () => {
    const tab = setting.browser.open();
    const element = {};
    tab.page["liveChat"] = element;
    widgetSession(infobipWidget, {}, tab, tab.page);
    expect(tab.page["liveChat"]).toBe(element);
  });

  test("can be declared anew by a script, as a global function is", () => {
    const { page } = watched();
    const declared = vi.fn<() => void>();
    Object.defineProperty(page, "liveChat", { value: declared, writable: true, configurable: true });
    expect(page["liveChat"]).toBe(declared);
  });
});
