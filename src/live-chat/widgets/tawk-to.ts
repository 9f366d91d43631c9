/**
 * tawk.to (https://developer.tawk.to/jsapi/).
 *
 * `window.Tawk_API` is the site's object, to which the widget's script adds its methods. The site assigns callbacks to it
 * (`onLoad`, `onChatStarted`), and the widget calls them. `login({ userId, hash, … }, callback)` and `logout(callback)`
 * answer with an error, or with none.
 */
import { chain, watchCalls, watchProperty } from "../watch-property.js";
import type { Widget } from "../widget-session.js";

export const tawkToWidget: Widget = {
  name: "tawk.to",
  watch(page, events) {
    watchProperty(page, "Tawk_API", (api) => {
      if (typeof api !== "object" || !api) return api;
      if ((api as { onLoaded?: unknown }).onLoaded === true) events.initialized();
      watchProperty(api, "onLoad", (callback) => chain(events.initialized, callback));
      watchProperty(api, "onChatStarted", (callback) => chain(events.chatStarted, callback));
      watchProperty(api, "login", (login) =>
        watchCalls(login, ([user, callback]) => {
          const { userId } = Object(user) as { userId?: unknown };
          return [user, chain((error) => !error && events.identified(userId), callback)];
        }),
      );
      watchProperty(api, "logout", (logout) =>
        watchCalls(logout, ([callback]) => [chain((error) => !error && events.signedOut(), callback)]),
      );
      return api;
    });
  },
};
