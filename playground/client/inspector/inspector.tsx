import { lastCall, startError, startTracking } from "../tracker.js";
import { view } from "../view-bar.js";
import { BrowserStation } from "./browser-station.js";
import { CallLine } from "./call-line.js";
import { ConnectionStation } from "./connection-station.js";
import { Controls } from "./controls.js";
import { OutboxStation } from "./outbox-station.js";
import { TimelineStation } from "./timeline-station.js";
import { WireStation } from "./wire-station.js";

/** Shows the tracker's state in the order in which an action travels, from this browser to the person's profile. */
export function Inspector() {
  // On a phone the inspector fills the screen.
  const Title = view.value === "tracker" ? "h1" : "h2";
  return (
    <section id="tracker" class="inspector" aria-labelledby="tracker-title" tabIndex={-1}>
      <header class="inspector-head">
        <div class="title-row">
          <Title id="tracker-title">What the tracker knows</Title>
          <button
            type="button"
            class="button small"
            onClick={() => void window.open(location.href, "_blank")}
          >
            Open another tab
          </button>
        </div>
        <p>Use the shop. Each action is stored in this browser, sent once, and lands on a person.</p>
        <CallLine call={lastCall.value} />
        {startError.value && (
          <p class="alert" role="alert">
            Tracking did not start: {startError.value}{" "}
            <button type="button" class="link-button" onClick={() => void startTracking()}>
              Try again
            </button>
          </p>
        )}
      </header>
      <div class="stations">
        <BrowserStation />
        <OutboxStation />
        <ConnectionStation />
        <WireStation />
        <TimelineStation />
      </div>
      <Controls />
    </section>
  );
}
