/**
 * Chatwoot (https://www.chatwoot.com/docs/product/channels/live-chat/sdk/setup).
 *
 * `window.$chatwoot` appears when its script has run. Its events are `CustomEvent`s of the window: `chatwoot:ready`,
 * `chatwoot:on-start-conversation` (the visitor pressed the button that begins one), and `chatwoot:on-message`, whose
 * `detail.message_type` is 0 for the visitor's own messages. `$chatwoot.setUser(identifier, …)` signs a user in,
 * `$chatwoot.reset()` signs out.
 */
import { watchCalls, watchProperty } from "../watch-property.js";
import type { Widget } from "../widget-session.js";

const VISITORS_MESSAGE = 0;

export const chatwootWidget: Widget = {
  name: "Chatwoot",
  watch(page, events) {
    page.addEventListener("chatwoot:ready", events.initialized);
    page.addEventListener("chatwoot:on-start-conversation", events.chatStarted);
    page.addEventListener("chatwoot:on-message", (event) => {
      const { message_type: type } = Object((event as CustomEvent<unknown>).detail) as Record<
        string,
        unknown
      >;
      if (type === VISITORS_MESSAGE) events.chatStarted();
    });
    watchProperty(page, "$chatwoot", (api) => {
      if (typeof api !== "object" || !api) return api;
      if ((api as { hasLoaded?: unknown }).hasLoaded) events.initialized();
      watchProperty(api, "setUser", (setUser) =>
        watchCalls(setUser, (call) => {
          events.identified(call[0]);
          return call;
        }),
      );
      watchProperty(api, "reset", (reset) =>
        watchCalls(reset, (call) => {
          events.signedOut();
          return call;
        }),
      );
      return api;
    });
  },
};
