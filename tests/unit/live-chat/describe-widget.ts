/** What every adapter does, against a fake that behaves as its widget's documentation says. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { LiveChatSessionSource } from "../../../src/live-chat/live-chat-session.js";
import type { Widget, WidgetPage } from "../../../src/live-chat/widget-session.js";
import { widgetSession } from "../../../src/live-chat/widget-session.js";
import { FakeBrowser, settled } from "./fake-browser.js";
import { FakeLiveChatService, jwtOf } from "./fake-live-chat-service.js";

/** The widget and its site, on one page. */
export interface FakeWidget {
  /** The vendor's snippet, as the site has it in its HTML. */
  embed(page: WidgetPage): void;
  /** The vendor's script has loaded and initialized itself. */
  load(page: WidgetPage): void;
  startChat(page: WidgetPage, chat: LiveChatSessionSource): void;
  signIn(page: WidgetPage, userId: string, chat: LiveChatSessionSource): void;
  signOut(page: WidgetPage, chat: LiveChatSessionSource): void;
}

export interface WidgetSetting {
  service: FakeLiveChatService;
  browser: FakeBrowser;
  /** The site's backend, which knows its users by their e-mail address. */
  jwt: (userId: string) => Promise<string>;
}

export const useWidgetSetting = (): WidgetSetting => {
  const setting = {} as WidgetSetting;
  beforeEach(() => {
    vi.useFakeTimers();
    vi.spyOn(console, "warn").mockReturnValue();
    setting.service = new FakeLiveChatService();
    setting.browser = new FakeBrowser(setting.service);
    setting.jwt = vi.fn<WidgetSetting["jwt"]>((userId) => Promise.resolve(jwtOf(userId)));
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });
  return setting;
};

export const isReady = async (chat: LiveChatSessionSource): Promise<boolean> => {
  let isResolved = false;
  void chat.ready().then(() => (isResolved = true));
  await settled();
  return isResolved;
};

const ANN = "ann@example.com";

/** @param options.isStartSeenLate whether it sees a chat start on a page where the widget's script was there first */
export const describeWidget = (
  widget: Widget,
  fake: FakeWidget,
  { isStartSeenLate = true }: { isStartSeenLate?: boolean } = {},
): void => {
  const setting = useWidgetSetting();

  /** What happens on a page, in this order. */
  const ORDERS = {
    "before the snippet": ["watch", "embed", "load"],
    "between the snippet and the script": ["embed", "watch", "load"],
    "after the script": ["embed", "load", "watch"],
  } as const;

  const visit = (order: readonly ("watch" | "embed" | "load")[], waitForWidget = true) => {
    const tab = setting.browser.open();
    let chat!: LiveChatSessionSource;
    for (const step of order)
      if (step === "watch") chat = widgetSession(widget, { jwt: setting.jwt, waitForWidget }, tab, tab.page);
      else fake[step](tab.page);
    return {
      chat,
      startChat: () => fake.startChat(tab.page, chat),
      signIn: (userId: string) => fake.signIn(tab.page, userId, chat),
      signOut: () => fake.signOut(tab.page, chat),
      reload() {
        tab.end();
        chat.close();
        return visit(order);
      },
    };
  };

  describe.each(Object.entries(ORDERS))("watched %s", (_, order) => {
    test("is ready once the widget is", async () => {
      const { chat } = visit(order);
      expect(await isReady(chat)).toBe(true);
    });

    test("signs a user in, and out", async () => {
      const { chat, signIn, signOut } = visit(order);
      signIn(ANN);
      await settled();
      expect(chat.session()?.personId).toBe(`person of ${ANN}`);
      signOut();
      await settled();
      expect(chat.session()).toBeNull();
      expect(setting.service.requests).toEqual(["POST /authenticate", "DELETE /current"]);
    });

    test("keeps the session over a reload, where the site signs the user in again", async () => {
      const page = visit(order);
      page.signIn(ANN);
      await settled();
      const session = page.chat.session();
      const next = page.reload();
      expect(next.chat.session()).toEqual(session);
      next.signIn(ANN);
      await settled();
      expect(next.chat.session()).toEqual(session);
      expect(setting.service.requests).toEqual(["POST /authenticate"]);
    });

    test("shares the session with a second tab, whose widget reports the same", async () => {
      const [one, other] = [visit(order), visit(order)];
      one.signIn(ANN);
      other.signIn(ANN);
      await settled();
      expect(one.chat.session()).not.toBeNull();
      expect(other.chat.session()).toEqual(one.chat.session());
      one.signOut();
      other.signOut();
      await settled();
      expect(other.chat.session()).toBeNull();
      expect(setting.service.requests).toEqual(["POST /authenticate", "DELETE /current"]);
    });
  });

  test.each(Object.entries(ORDERS).slice(0, isStartSeenLate ? 3 : 2))(
    "watched %s, makes a lead when a chat is started",
    async (_, order) => {
      const { chat, startChat } = visit(order);
      await settled();
      expect(setting.service.requests).toEqual([]);
      startChat();
      await settled();
      startChat();
      await settled();
      expect(chat.session()?.kind).toBe("lead");
      expect(setting.service.requests).toEqual(["POST "]);
    },
  );

  test("is not ready, and asks the service nothing, where the widget never loads", async () => {
    const { chat } = visit(["watch", "embed"]);
    expect(await isReady(chat)).toBe(false);
    expect(setting.service.requests).toEqual([]);
  });

  test("is not ready where the page has no widget at all", async () => {
    expect(await isReady(visit(["watch"]).chat)).toBe(false);
  });

  test("is ready without the widget where the site does not wait for it", async () => {
    expect(await isReady(visit(["watch", "embed"], false).chat)).toBe(true);
  });

  test("leads on the session of the page before though the widget never loads", async () => {
    const page = visit(["watch", "embed", "load"]);
    page.signIn(ANN);
    await settled();
    expect(visit(["watch", "embed"]).chat.session()).toEqual(page.chat.session());
  });
};
