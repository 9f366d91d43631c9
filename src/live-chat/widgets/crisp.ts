/**
 * Crisp (https://docs.crisp.chat/guides/chatbox-sdks/web-sdk/dollar-crisp/).
 *
 * All goes through `$crisp.push([action, method, …])`: `$crisp` is an array until its script has loaded, and the widget's own
 * object from then on. `["on", "session:loaded", …]` tells that the widget is initialized, `["on", "message:sent", …]` that
 * the visitor wrote, `["do", "session:reset"]` begins a new session. A user is signed in by
 * `["set", "user:email", [email, signature]]`; without the signature anybody may have typed the address.
 *
 * `["off", method]` takes no handler and ends everybody's. So this never calls it, and listens anew after the site has.
 */
import { watchCalls, watchProperty } from "../watch-property.js";
import type { Widget } from "../widget-session.js";

interface Commands {
  push(...commands: unknown[]): unknown;
  /** Once the script has loaded. The session's identifier is `null` until the session has. */
  get?(method: string): unknown;
}

export const crispWidget: Widget = {
  name: "Crisp",
  watch(page, events) {
    const listeners: Record<string, () => void> = {
      "session:loaded": events.initialized,
      "message:sent": events.chatStarted,
    };
    const listenTo = (method: string): void => {
      (page["$crisp"] as Commands).push(["on", method, listeners[method]]);
    };
    const see = (command: unknown): void => {
      const [action, method, value] = Object(command) as Partial<unknown[]>;
      if (action === "do" && method === "session:reset") events.signedOut();
      if (action === "set" && method === "user:email" && Array.isArray(value) && value[1])
        events.identified(value[0]);
      // After this call, which ends ours with the site's.
      if (action === "off" && String(method) in listeners) queueMicrotask(() => listenTo(String(method)));
    };
    let isListening = false;
    watchProperty(page, "$crisp", (crisp) => {
      if (typeof crisp !== "object" || !crisp || !("push" in crisp)) return crisp;
      if (Array.isArray(crisp)) crisp.forEach(see);
      watchProperty(crisp, "push", (push) =>
        watchCalls(push, (commands) => {
          commands.forEach(see);
          return commands;
        }),
      );
      // The widget takes over the commands of the array that it finds, ours among them.
      if (!Array.isArray(crisp) && isListening) return crisp;
      if ((crisp as Commands).get?.("session:identifier")) events.initialized();
      for (const command of Object.entries(listeners)) (crisp as Commands).push(["on", ...command]);
      isListening = true;
      return crisp;
    });
  },
};
