import { Station } from "./station.js";
export function TimelineStation() {
  return (
    <Station id="timeline" title="Person’s timeline">
      <div class="well"><p class="empty">…</p></div>
    </Station>
  );
}
