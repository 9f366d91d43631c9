import { describe, expect, test, vi } from "vitest";
import { crispWidget } from "../../../src/live-chat/widgets/crisp.js";
import type { WidgetPage } from "../../../src/live-chat/widget-session.js";
import { widgetSession } from "../../../src/live-chat/widget-session.js";
import type { FakeWidget } from "./describe-widget.js";
import { describeWidget, isReady, useWidgetSetting } from "./describe-widget.js";
import { settled } from "./fake-browser.js";

type Command = unknown[];
interface Crisp {
  push(...commands: Command[]): void;
}
const crispOf = (page: WidgetPage): Crisp => page["$crisp"] as Crisp;

/** The widget's own object: `on` adds a listener, `off` takes no handler and removes them all. */
class LoadedCrisp implements Crisp {
  readonly #listeners = new Map<unknown, (() => void)[]>();
  #identifier: string | null = null;

  push(...commands: Command[]): void {
    for (const [action, method, value] of commands) {
      if (action === "on")
        this.#listeners.set(method, [...(this.#listeners.get(method) ?? []), value as () => void]);
      if (action === "off") this.#listeners.delete(method);
    }
  }
  emit(method: string): void {
    if (method === "session:loaded") this.#identifier = "session_1";
    for (const listener of this.#listeners.get(method) ?? []) listener();
  }
  get(method: string): unknown {
    return method === "session:identifier" ? this.#identifier : undefined;
  }
}
const loadedOf = (page: WidgetPage): LoadedCrisp => page["$crisp"] as LoadedCrisp;

const fake = {
  embed: (page) => (page["$crisp"] = []),
  load(page) {
    const commands = page["$crisp"] as Command[];
    page["$crisp"] = new LoadedCrisp();
    crispOf(page).push(...commands);
    loadedOf(page).emit("session:loaded");
  },
  startChat: (page) => loadedOf(page).emit("message:sent"),
  signIn: (page, userId) => crispOf(page).push(["set", "user:email", [userId, "signature"]]),
  signOut: (page) => crispOf(page).push(["do", "session:reset"]),
} satisfies FakeWidget;

describe("Crisp", () => {
  describeWidget(crispWidget, fake);
});

describe("Crisp's queue", () => {
  const setting = useWidgetSetting();
  const watched = () => {
    const tab = setting.browser.open();
    return { page: tab.page, chat: widgetSession(crispWidget, { jwt: setting.jwt }, tab, tab.page) };
  };

  test("signs a user in by a command that waited before the adapter came", async () => {
    const tab = setting.browser.open();
    fake.embed(tab.page);
    fake.signIn(tab.page, "ann@example.com");
    const chat = widgetSession(crispWidget, { jwt: setting.jwt }, tab, tab.page);
    await settled();
    expect(chat.session()?.kind).toBe("authenticated");
  });

  test("signs nobody in by an address without a signature", async () => {
    const { page, chat } = watched();
    fake.embed(page);
    crispOf(page).push(["set", "user:email", ["ann@example.com"]]);
    await settled();
    expect(chat.session()).toBeNull();
    expect(setting.jwt).not.toHaveBeenCalled();
  });

  test("keeps the site's listeners, and goes on after the site has ended its own", async () => {
    const { page, chat } = watched();
    fake.embed(page);
    const [first, second] = [vi.fn<() => void>(), vi.fn<() => void>()];
    crispOf(page).push(["on", "message:sent", first]);
    fake.load(page);
    crispOf(page).push(["off", "message:sent"], ["on", "message:sent", second]);
    await settled();
    fake.startChat(page);
    await settled();
    expect(first).not.toHaveBeenCalled();
    expect(second).toHaveBeenCalledOnce();
    expect(chat.session()?.kind).toBe("lead");
  });

  test("never ends a listener of the site", async () => {
    const { page } = watched();
    fake.embed(page);
    const pushed = vi.spyOn(LoadedCrisp.prototype, "push");
    fake.load(page);
    fake.startChat(page);
    fake.signOut(page);
    await settled();
    expect(pushed.mock.calls.flat().filter(([action]) => action === "off")).toEqual([]);
  });

  test("is not ready while the script is there and its session is not", async () => {
    const tab = setting.browser.open();
    tab.page["$crisp"] = new LoadedCrisp();
    const chat = widgetSession(crispWidget, {}, tab, tab.page);
    expect(await isReady(chat)).toBe(false);
    loadedOf(tab.page).emit("session:loaded");
    expect(await isReady(chat)).toBe(true);
  });
});
