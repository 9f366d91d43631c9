import { sdk, show, state } from "../tracker.js";

const BURST = 200;

/** Tracks many events at once. They travel to the worker as one call, and to the service as one batch. */
const trackMany = () =>
  show(`track("gust", …) × ${BURST}`, async () => {
    const outcomes = await Promise.all(
      Array.from({ length: BURST }, (_, index) => sdk.track("gust", { number: index + 1 })),
    );
    return outcomes.find((outcome) => !outcome.success) ?? outcomes[0]!;
  });

/** Tracks an undefined event. The call fails while the service is reachable; otherwise it succeeds, and the service rejects it. */
const trackUndefined = () => show('track("neverDefined")', () => sdk.track("neverDefined" as "action"));

export function Controls() {
  const optedOut = state.value?.optedOut ?? false;
  return (
    <div class="controls" role="group" aria-label="Things to try">
      <button type="button" class="button quiet small" onClick={() => void trackMany()}>
        Track {BURST} events
      </button>
      <button type="button" class="button quiet small" onClick={() => void trackUndefined()}>
        Undefined event
      </button>
      <button
        type="button"
        class="button quiet small"
        onClick={() => void show("flush()", () => sdk.flush())}
      >
        Flush
      </button>
      <button
        type="button"
        class="button quiet small"
        aria-pressed={optedOut}
        onClick={() =>
          void (optedOut ? show("optIn()", () => sdk.optIn()) : show("optOut()", () => sdk.optOut()))
        }
      >
        {optedOut ? "Opt in again" : "Opt out"}
      </button>
      <button
        type="button"
        class="button quiet small"
        onClick={() => void show("eraseLocalData()", () => sdk.eraseLocalData())}
      >
        Erase data
      </button>
    </div>
  );
}
