import { describe, expect, test, vi } from "vitest";
import { tawkToWidget } from "../../../src/live-chat/widgets/tawk-to.js";
import type { WidgetPage } from "../../../src/live-chat/widget-session.js";
import { widgetSession } from "../../../src/live-chat/widget-session.js";
import type { FakeWidget } from "./describe-widget.js";
import { describeWidget, useWidgetSetting } from "./describe-widget.js";
import { settled } from "./fake-browser.js";

type Callback = (error?: unknown) => void;
interface Tawk {
  onLoad?: () => void;
  onChatStarted?: () => void;
  onLoaded?: boolean;
  login?(user: object, callback?: Callback): void;
  logout?(callback?: Callback): void;
}
const tawkOf = (page: WidgetPage): Tawk => page["Tawk_API"] as Tawk;

const fake = {
  embed: (page) => (page["Tawk_API"] = page["Tawk_API"] ?? {}),
  /** Adds its methods to the site's object, and calls the site's callbacks. */
  load(page: WidgetPage, refusal?: Error) {
    const api = tawkOf(page);
    api.login = (_, callback) => queueMicrotask(() => callback?.(refusal));
    api.logout = (callback) => queueMicrotask(() => callback?.(refusal));
    api.onLoaded = true;
    api.onLoad?.();
  },
  startChat: (page) => tawkOf(page).onChatStarted?.(),
  signIn: (page, userId) => tawkOf(page).login?.({ userId, hash: "hash" }),
  signOut: (page) => tawkOf(page).logout?.(),
} satisfies FakeWidget;

describe("tawk.to", () => {
  describeWidget(tawkToWidget, { ...fake, load: (page) => fake.load(page) });
});

describe("tawk.to's object", () => {
  const setting = useWidgetSetting();
  const watched = () => {
    const tab = setting.browser.open();
    return { page: tab.page, chat: widgetSession(tawkToWidget, { jwt: setting.jwt }, tab, tab.page) };
  };

  test("keeps the callbacks that the site assigned before the adapter came, and those assigned after", async () => {
    const tab = setting.browser.open();
    const [onLoad, onChatStarted] = [vi.fn<() => void>(), vi.fn<() => void>()];
    tab.page["Tawk_API"] = { onLoad };
    const chat = widgetSession(tawkToWidget, {}, tab, tab.page);
    tawkOf(tab.page).onChatStarted = onChatStarted;
    fake.load(tab.page);
    fake.startChat(tab.page);
    await settled();
    expect(onLoad).toHaveBeenCalledOnce();
    expect(onChatStarted).toHaveBeenCalledOnce();
    expect(chat.session()?.kind).toBe("lead");
  });

  test("calls the site's callbacks on the object that they belong to", () => {
    const { page } = watched();
    const onLoad = vi.fn<() => void>();
    page["Tawk_API"] = { onLoad };
    fake.load(page);
    expect(onLoad.mock.contexts).toEqual([page["Tawk_API"]]);
  });

  test("is watched though the site replaces it", async () => {
    const { page, chat } = watched();
    fake.embed(page);
    page["Tawk_API"] = { visitor: {} };
    fake.load(page);
    fake.startChat(page);
    await settled();
    expect(chat.session()?.kind).toBe("lead");
  });

  test("answers the site's callbacks of login and logout", async () => {
    const { page } = watched();
    fake.embed(page);
    fake.load(page);
    const [login, logout] = [vi.fn<Callback>(), vi.fn<Callback>()];
    tawkOf(page).login?.({ userId: "ann@example.com" }, login);
    tawkOf(page).logout?.(logout);
    await settled();
    expect(login).toHaveBeenCalledExactlyOnceWith(undefined);
    expect(logout).toHaveBeenCalledExactlyOnceWith(undefined);
  });

  test("signs nobody in whom the widget refuses", async () => {
    const { page, chat } = watched();
    fake.embed(page);
    fake.load(page, new Error("wrong hash"));
    fake.signIn(page, "ann@example.com");
    await settled();
    expect(chat.session()).toBeNull();
    expect(setting.service.requests).toEqual([]);
  });
});
