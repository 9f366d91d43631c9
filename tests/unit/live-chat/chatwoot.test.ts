import { describe, expect, test } from "vitest";
import { chatwootWidget } from "../../../src/live-chat/widgets/chatwoot.js";
import type { WidgetPage } from "../../../src/live-chat/widget-session.js";
import { widgetSession } from "../../../src/live-chat/widget-session.js";
import type { FakeWidget } from "./describe-widget.js";
import { describeWidget, useWidgetSetting } from "./describe-widget.js";
import { settled } from "./fake-browser.js";

interface Chatwoot {
  hasLoaded: boolean;
  setUser(identifier: string | number, user?: object): void;
  reset(): void;
}
const chatwootOf = (page: WidgetPage): Chatwoot => page["$chatwoot"] as Chatwoot;
const dispatch = (page: WidgetPage, type: string, detail?: unknown): void => {
  page.dispatchEvent(new CustomEvent(type, { detail }));
};

const fake = {
  embed: () => undefined,
  load(page) {
    page["$chatwoot"] = { hasLoaded: false, setUser: () => undefined, reset: () => undefined };
    chatwootOf(page).hasLoaded = true;
    dispatch(page, "chatwoot:ready");
  },
  startChat: (page) => dispatch(page, "chatwoot:on-start-conversation", { hasConversation: false }),
  signIn: (page, userId) => chatwootOf(page).setUser(userId, { email: userId, identifier_hash: "hash" }),
  signOut: (page) => chatwootOf(page).reset(),
} satisfies FakeWidget;

describe("Chatwoot", () => {
  describeWidget(chatwootWidget, fake);
});

describe("Chatwoot's page", () => {
  const setting = useWidgetSetting();
  const watched = (options = {}) => {
    const tab = setting.browser.open();
    const chat = widgetSession(chatwootWidget, options, tab, tab.page);
    fake.load(tab.page);
    return { page: tab.page, chat };
  };

  test("makes a lead when the visitor writes in an earlier conversation, not when the site does", async () => {
    const { page, chat } = watched();
    dispatch(page, "chatwoot:on-message", { message_type: 1, content: "Hello" });
    dispatch(page, "chatwoot:on-message", { message_type: 3, content: "Hello" });
    await settled();
    expect(chat.session()).toBeNull();
    dispatch(page, "chatwoot:on-message", { message_type: 0, content: "Hello" });
    await settled();
    expect(chat.session()?.kind).toBe("lead");
  });

  test("has its calls made as they are, on its own object", () => {
    const tab = setting.browser.open();
    const api = {
      users: [] as unknown[],
      setUser(...call: unknown[]) {
        this.users.push(call);
      },
    };
    widgetSession(chatwootWidget, {}, tab, tab.page);
    tab.page["$chatwoot"] = api;
    api.setUser("ann", { name: "Ann" });
    expect(tab.page["$chatwoot"]).toBe(api);
    expect(api.users).toEqual([["ann", { name: "Ann" }]]);
  });

  test("signs in a user whose identifier is a number", async () => {
    const { page, chat } = watched({ jwt: setting.jwt });
    chatwootOf(page).setUser(17);
    await settled();
    expect(setting.jwt).toHaveBeenCalledWith("17");
    expect(chat.session()?.kind).toBe("authenticated");
  });
});
