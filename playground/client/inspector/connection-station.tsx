import { formatRemaining, now } from "../clock.js";
import { demoServerGone, reachable, setReachable } from "../demo-feed.js";
import { state } from "../tracker.js";
import { Station } from "./station.js";

/** Shows the connection to the service, and the switch that cuts it. */
export function ConnectionStation() {
  const isUp = reachable.value && !demoServerGone.value;
  const delivery = state.value?.delivery;
  return (
    <Station
      id="connection"
      title="Connection"
      aside={
        <label class="switch">
          <span>Service reachable</span>
          <input
            type="checkbox"
            role="switch"
            checked={reachable.value}
            disabled={demoServerGone.value}
            onChange={(event) => void setReachable(event.currentTarget.checked)}
          />
        </label>
      }
    >
      <div class="connection" data-up={isUp} data-status={delivery?.status}>
        <p class="connection-status">
          <strong>{delivery ? STATUS[delivery.status] : "Not started"}</strong>
          {delivery?.status === "retrying" && delivery.nextAttemptAt && (
            <span class="next">next attempt in {formatRemaining(delivery.nextAttemptAt, now.value)}</span>
          )}
        </p>
        <p class="why">{explain(isUp)}</p>
      </div>
    </Station>
  );
}

const STATUS = {
  idle: "Nothing to send",
  sending: "Sending",
  retrying: "Waiting to retry",
  stopped: "Stopped",
};

function explain(isUp: boolean): string {
  if (demoServerGone.value)
    return "The demo server is gone. Start it again with npm start; what waits here will go out.";
  const { status, lastError } = state.value?.delivery ?? {};
  if (lastError && status !== "idle") return lastError.message;
  return isUp
    ? "Events wait a second for others, and go out together."
    : "The line is cut: the server destroys each connection to the service, and to Live Chat. Click around, close the tab, come back.";
}
