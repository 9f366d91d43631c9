import { signal } from "@preact/signals";

import { state } from "./tracker.js";

type View = "shop" | "chat" | "tracker";
/** At phone width one of the three fills the screen; wider, shop and tracker stand side by side and the chat floats. */
export const view = signal<View>("shop");

/** The bar at the bottom of a phone's screen. It switches between the three views and always shows what waits. */
export function ViewBar() {
  const waiting = state.value?.outbox.waiting ?? 0;
  return (
    <nav class="view-bar" aria-label="Views">
      <Tab target="shop" name="Shop" />
      <Tab target="chat" name="Live Chat" />
      <Tab target="tracker" name="Tracker" badge={waiting > 0 ? `${waiting} waiting` : undefined} />
    </nav>
  );
}

const Tab = ({ target, name, badge }: { target: View; name: string; badge?: string | undefined }) => (
  <button
    type="button"
    class="view-tab"
    aria-pressed={view.value === target}
    onClick={() => {
      view.value = target;
      scrollTo(0, 0);
    }}
  >
    {name}
    {badge && <span class="badge">{badge}</span>}
  </button>
);
