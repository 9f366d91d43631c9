/**
 * Intercom (https://developers.intercom.com/installing-intercom/web/methods).
 *
 * All its methods go through the global function `Intercom(method, …)`. Until its script has loaded, the snippet's stub keeps
 * the calls in `Intercom.q`. `ready` tells that the Messenger has booted. `boot` and `update`, or `window.intercomSettings`
 * for a Messenger that boots by itself, name the user by `user_id`, by `intercom_user_jwt` or by `email`. `shutdown` signs
 * out. `onUserEmailSupplied` tells that a visitor has left an address, which makes them a lead.
 *
 * Nothing tells the page that a visitor has written without leaving an address: call `sessionStarted()` where the site
 * knows.
 */
import { claimsOf } from "../jwt.js";
import { chain, queueOf, watchCalls, watchProperty, watchQueue } from "../watch-property.js";
import type { Widget } from "../widget-session.js";

const userOf = (settings: unknown): unknown => {
  const { user_id: userId, intercom_user_jwt: jwt, email } = Object(settings) as Record<string, unknown>;
  const claims = typeof jwt === "string" ? claimsOf(jwt) : {};
  return userId ?? claims["user_id"] ?? email ?? claims["email"];
};

export const intercomWidget: Widget = {
  name: "Intercom",
  watch(page, events) {
    const callbacks: Record<string, () => void> = {
      ready: events.initialized,
      onUserEmailSupplied: events.chatStarted,
    };
    const see = (call: readonly unknown[]): readonly unknown[] => {
      const [method, argument, ...more] = call;
      if (method === "boot" || method === "update") events.identified(userOf(argument));
      if (method === "shutdown") events.signedOut();
      const ours = callbacks[String(method)];
      return ours ? [method, chain(ours, argument), ...more] : call;
    };
    watchProperty(page, "intercomSettings", (settings) => {
      events.identified(userOf(settings));
      return settings;
    });
    // No stub: the script has loaded. It is not known whether a second callback would replace the site's, so none is set.
    if (typeof page["Intercom"] === "function" && !queueOf(page["Intercom"])) events.initialized();
    watchProperty(page, "Intercom", (intercom) => {
      const queue = queueOf(intercom);
      if (queue) {
        watchQueue(queue, see);
        for (const [method, ours] of Object.entries(callbacks)) queue.unshift([method, ours]);
      }
      return watchCalls(intercom, see);
    });
  },
};
