import type { LiveChatSessionSource } from "./live-chat-session.js";
import type { IdentifyingWidgetOptions } from "./widget-session.js";
import { createWidgetSession } from "./widget-session.js";
import { tawkToWidget } from "./widgets/tawk-to.js";

export type { LiveChatSession, LiveChatSource } from "../protocol/api.js";
export type { Jwt } from "./jwt.js";
export type { LiveChatSessionSource, IdentifyingWidgetOptions };

/**
 * Makes the tracker's Live Chat of tawk.to on this page, before or after the widget has loaded. Call it once.
 *
 * @example
 * const liveChat = tawkTo({ jwt: () => fetch("/people-jwt").then((response) => response.text()) });
 * const sdk = new PeopleTrackingSDK({ liveChat });
 */
export const tawkTo = (options: IdentifyingWidgetOptions = {}): LiveChatSessionSource =>
  createWidgetSession(tawkToWidget, options);
