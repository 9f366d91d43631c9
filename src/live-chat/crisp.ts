import type { LiveChatSessionSource } from "./live-chat-session.js";
import type { IdentifyingWidgetOptions } from "./widget-session.js";
import { createWidgetSession } from "./widget-session.js";
import { crispWidget } from "./widgets/crisp.js";

export type { LiveChatSession, LiveChatSource } from "../protocol/api.js";
export type { Jwt } from "./jwt.js";
export type { LiveChatSessionSource, IdentifyingWidgetOptions };

/**
 * Makes the tracker's Live Chat of Crisp on this page, before or after the widget has loaded. Call it once.
 *
 * @example
 * const liveChat = crisp({ jwt: () => fetch("/people-jwt").then((response) => response.text()) });
 * const sdk = new PeopleTrackingSDK({ liveChat });
 */
export const crisp = (options: IdentifyingWidgetOptions = {}): LiveChatSessionSource =>
  createWidgetSession(crispWidget, options);
