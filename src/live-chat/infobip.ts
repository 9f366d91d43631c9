import type { LiveChatSessionSource } from "./live-chat-session.js";
import type { WidgetOptions } from "./widget-session.js";
import { createWidgetSession } from "./widget-session.js";
import { infobipWidget } from "./widgets/infobip.js";

export type { LiveChatSession, LiveChatSource } from "../protocol/api.js";
export type { Jwt } from "./jwt.js";
export type { LiveChatSessionSource, WidgetOptions };

/**
 * Makes the tracker's Live Chat of Infobip Live Chat on this page, before or after the widget has loaded. Call it once.
 *
 * @example
 * const liveChat = infobip();
 * const sdk = new PeopleTrackingSDK({ liveChat });
 * startChatButton.addEventListener("click", () => liveChat.sessionStarted());
 * logoutForm.addEventListener("submit", () => liveChat.signedOut());
 */
export const infobip = (options: WidgetOptions = {}): LiveChatSessionSource =>
  createWidgetSession(infobipWidget, options);
