import { describe, expect, test, vi } from "vitest";
import { intercomWidget } from "../../../src/live-chat/widgets/intercom.js";
import type { WidgetPage } from "../../../src/live-chat/widget-session.js";
import { widgetSession } from "../../../src/live-chat/widget-session.js";
import type { FakeWidget } from "./describe-widget.js";
import { describeWidget, useWidgetSetting } from "./describe-widget.js";
import { settled } from "./fake-browser.js";

type Intercom = ((method: string, ...more: unknown[]) => void) & {
  q?: unknown[][];
  c?: (call: unknown[]) => void;
};
const intercomOf = (page: WidgetPage): Intercom => page["Intercom"] as Intercom;

/** The visitor's answers in each page's Messenger. A callback set last may replace the one before: it is not documented. */
const callbacks = new WeakMap<WidgetPage, Map<string, () => void>>();

const fake = {
  embed(page) {
    const stub: Intercom = (...call) => stub.c?.(call);
    stub.q = [];
    stub.c = (call) => stub.q?.push(call);
    page["Intercom"] = stub;
  },
  load(page) {
    const { q = [] } = intercomOf(page);
    const own = new Map<string, () => void>();
    callbacks.set(page, own);
    const intercom = (method: string, argument?: unknown): void => {
      if (typeof argument === "function") own.set(method, argument as () => void);
    };
    page["Intercom"] = intercom;
    for (const call of q) intercom(...(call as [string]));
    own.get("ready")?.();
  },
  startChat: (page) => callbacks.get(page)?.get("onUserEmailSupplied")?.(),
  signIn: (page, userId) => intercomOf(page)("boot", { app_id: "app", user_id: userId }),
  signOut: (page) => intercomOf(page)("shutdown"),
} satisfies FakeWidget;

describe("Intercom", () => {
  describeWidget(intercomWidget, fake, { isStartSeenLate: false });
});

describe("Intercom's function", () => {
  const setting = useWidgetSetting();
  const watched = () => {
    const tab = setting.browser.open();
    return { page: tab.page, chat: widgetSession(intercomWidget, { jwt: setting.jwt }, tab, tab.page) };
  };
  const personOf = async (settings: object, method = "boot"): Promise<string | undefined> => {
    const { page, chat } = watched();
    fake.embed(page);
    intercomOf(page)(method, settings);
    await settled();
    return chat.session()?.personId;
  };
  const intercomJwt = `e30.${btoa(JSON.stringify({ user_id: "ann" }))}.x`;

  test.each([
    ["an id", { user_id: "ann", email: "ann@example.com" }, "ann"],
    ["Intercom's JWT", { intercom_user_jwt: intercomJwt }, "ann"],
    ["an address", { email: "ann@example.com" }, "ann@example.com"],
  ])("signs in a user named by %s", async (_, settings, userId) => {
    expect(await personOf(settings)).toBe(`person of ${userId}`);
    expect(setting.jwt).toHaveBeenCalledExactlyOnceWith(userId);
  });

  test("signs in a user whom the site names later", async () => {
    expect(await personOf({ user_id: "ann" }, "update")).toBe("person of ann");
  });

  test("signs nobody in by settings without a user", async () => {
    expect(await personOf({ app_id: "app", name: "Ann" })).toBeUndefined();
    expect(await personOf({ name: "Ann" }, "update")).toBeUndefined();
    expect(setting.jwt).not.toHaveBeenCalled();
  });

  test.each(["before", "after"])(
    "signs in the user of window.intercomSettings set %s the adapter",
    async (when) => {
      const tab = setting.browser.open();
      const set = () => (tab.page["intercomSettings"] = { app_id: "app", user_id: "ann" });
      if (when === "before") set();
      const chat = widgetSession(intercomWidget, { jwt: setting.jwt }, tab, tab.page);
      if (when === "after") set();
      await settled();
      expect(chat.session()?.personId).toBe("person of ann");
    },
  );

  test("keeps the site's callbacks, those that waited among them", async () => {
    const tab = setting.browser.open();
    const [ready, first, second] = [vi.fn<() => void>(), vi.fn<() => void>(), vi.fn<() => void>()];
    fake.embed(tab.page);
    intercomOf(tab.page)("ready", ready);
    intercomOf(tab.page)("onUserEmailSupplied", first);
    const chat = widgetSession(intercomWidget, {}, tab, tab.page);
    fake.load(tab.page);
    fake.startChat(tab.page);
    intercomOf(tab.page)("onUserEmailSupplied", second);
    fake.startChat(tab.page);
    await settled();
    expect([ready, first, second].map(({ mock }) => mock.calls.length)).toEqual([1, 1, 1]);
    expect(chat.session()?.kind).toBe("lead");
  });

  test("on a page that has loaded it before leaves the site's callback alone", async () => {
    const tab = setting.browser.open();
    const supplied = vi.fn<() => void>();
    fake.embed(tab.page);
    intercomOf(tab.page)("onUserEmailSupplied", supplied);
    fake.load(tab.page);
    widgetSession(intercomWidget, {}, tab, tab.page);
    fake.startChat(tab.page);
    await settled();
    expect(supplied).toHaveBeenCalledOnce();
  });
});
