import { browserTab } from "./browser-tab.js";
import type { Tab } from "./tab.js";

/** During server-side rendering there is no chat: what is reported goes nowhere. */
const noTab: Tab = {
  read: () => null,
  write: () => undefined,
  onWrite: () => () => undefined,
  onReturn: () => () => undefined,
  alone: () => Promise.resolve(),
  fetch: () => Promise.reject(new TypeError("no browser")),
  isOnline: () => false,
  now: () => 0,
  random: () => 0,
};

export const presentTab = (): Tab => (typeof document === "undefined" ? noTab : browserTab());
