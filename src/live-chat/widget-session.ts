/** What the adapters of all widgets have in common. */
import type { LiveChatSessionSource } from "./live-chat-session.js";
import { liveChatSession } from "./live-chat-session.js";
import { presentTab } from "./present-tab.js";
import type { Tab } from "./tab.js";
import { warn } from "./warn.js";

export interface WidgetOptions {
  /** The People service, as in the tracker's options. Default: `/people`. */
  endpoint?: string | URL;
  /** Whether `init()` waits for the widget and answers 4001 without it. Default: `true`. `false` is for widgets that load late or that content blockers keep away. */
  waitForWidget?: boolean;
}

export interface IdentifyingWidgetOptions extends WidgetOptions {
  /**
   * Fetches a JWT from the site's backend, by which the People service knows the user whom the widget was told of: its own
   * token can be checked only by its vendor. Without it, users are not signed in to the People service.
   *
   * @param userId the user, as the site has named them to the widget
   */
  jwt?: (userId: string) => string | Promise<string>;
}

/** What an adapter reports of its widget. */
export interface WidgetEvents {
  initialized: () => void;
  chatStarted: () => void;
  /** Signed in by a JWT that the People service can check. */
  signedIn: (jwt: string) => void;
  /** Signed in by an id, for which the site's backend makes a JWT. */
  identified: (userId: unknown) => void;
  signedOut: () => void;
}

/** The page's `window`. */
export type WidgetPage = EventTarget & Record<string, unknown>;

export interface Widget {
  name: string;
  /** Reports what the widget of this page does from now on. */
  watch: (page: WidgetPage, events: WidgetEvents) => void;
}

export const createWidgetSession = (
  widget: Widget,
  options: IdentifyingWidgetOptions,
): LiveChatSessionSource =>
  widgetSession(
    widget,
    options,
    presentTab(),
    typeof window === "undefined" ? null : (window as unknown as WidgetPage),
  );

export const widgetSession = (
  { name, watch }: Widget,
  { endpoint, waitForWidget = true, jwt }: IdentifyingWidgetOptions,
  tab: Tab,
  page: WidgetPage | null,
): LiveChatSessionSource => {
  let initialized!: () => void;
  const ready = new Promise<void>((resolve) => (initialized = resolve));
  if (!waitForWidget) initialized();
  const session = liveChatSession({ ready: () => ready, ...(endpoint !== undefined && { endpoint }) }, tab);
  const events: WidgetEvents = {
    initialized,
    chatStarted: () => session.sessionStarted(),
    signedIn: (token) => session.signedIn(token),
    identified(userId) {
      const id = typeof userId === "number" ? String(userId) : userId;
      if (typeof id !== "string" || !id) return;
      if (jwt) session.signedIn(async () => jwt(id), id);
      else warn("noJwt", name);
    },
    signedOut: () => session.signedOut(),
  };
  try {
    if (page) watch(page, events);
  } catch (error) {
    warn("unwatchable", name, error);
  }
  return session;
};
