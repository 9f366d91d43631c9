/**
 * Infobip Live Chat (https://www.infobip.com/docs/live-chat/javascript-sdk-in-live-chat).
 *
 * All its commands go through the global function `liveChat(command, argument, callback)`. Until its script has loaded, the
 * snippet's stub keeps the calls in `liveChat.q`. `init` and `auth` tell through their callbacks, `(error, result)`, whether
 * the widget is initialized and whether the user has signed in. The People service checks the same JWT as the widget.
 *
 * Nothing tells the page that a chat was started: call `sessionStarted()` where the site starts one. Sessions are
 * invalidated on the site's server (https://www.infobip.com/docs/api/channels/live-chat/invalidate-customer-session), so that
 * `signedOut()` belongs where the site signs its user out.
 */
import { chain, queueOf, watchCalls, watchProperty, watchQueue } from "../watch-property.js";
import type { Widget } from "../widget-session.js";

export const infobipWidget: Widget = {
  name: "Infobip Live Chat",
  watch(page, events) {
    const see = ([command, argument, callback, ...more]: readonly unknown[]): readonly unknown[] => {
      const done =
        command === "init"
          ? events.initialized
          : command === "auth" && typeof argument === "string"
            ? () => events.signedIn(argument)
            : null;
      if (!done) return [command, argument, callback, ...more];
      return [command, argument, chain((error) => !error && done(), callback), ...more];
    };
    // No stub: the script has loaded, and the calls that it was given until now are over.
    if (typeof page["liveChat"] === "function" && !queueOf(page["liveChat"])) events.initialized();
    watchProperty(page, "liveChat", (liveChat) => {
      watchQueue(queueOf(liveChat) ?? [], see);
      return watchCalls(liveChat, see);
    });
  },
};
