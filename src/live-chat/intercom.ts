import type { LiveChatSessionSource } from "./live-chat-session.js";
import type { IdentifyingWidgetOptions } from "./widget-session.js";
import { createWidgetSession } from "./widget-session.js";
import { intercomWidget } from "./widgets/intercom.js";

export type { LiveChatSession, LiveChatSource } from "../protocol/api.js";
export type { Jwt } from "./jwt.js";
export type { LiveChatSessionSource, IdentifyingWidgetOptions };

/**
 * Makes the tracker's Live Chat of Intercom on this page, before or after the widget has loaded. Call it once.
 *
 * @example
 * const liveChat = intercom({ jwt: () => fetch("/people-jwt").then((response) => response.text()) });
 * const sdk = new PeopleTrackingSDK({ liveChat });
 */
export const intercom = (options: IdentifyingWidgetOptions = {}): LiveChatSessionSource =>
  createWidgetSession(intercomWidget, options);
