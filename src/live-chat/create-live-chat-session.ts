import type { LiveChatSessionOptions, LiveChatSessionSource } from "./live-chat-session.js";
import { liveChatSession } from "./live-chat-session.js";
import { presentTab } from "./present-tab.js";

/**
 * Makes a `LiveChatSource` from what a site's chat widget reports. It is kept over reloads and shared by all tabs; one of
 * them makes each exchange with the People service, and repeats it until it succeeds.
 *
 * @example
 * const liveChat = createLiveChatSession();
 * chat.on("conversation-started", () => liveChat.sessionStarted());
 * chat.on("signed-in", (user) => liveChat.signedIn(() => fetchJwt(), user.id));
 * chat.on("signed-out", () => liveChat.signedOut());
 * const sdk = new PeopleTrackingSDK({ liveChat });
 */
export const createLiveChatSession = (options: LiveChatSessionOptions = {}): LiveChatSessionSource =>
  liveChatSession(options, presentTab());
