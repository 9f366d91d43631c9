import type { Call } from "../tracker.js";

/** The call that the page made last, as code, and what it resolved to. The one live region for calls. */
export function CallLine({ call }: { call: Call | null }) {
  const outcome = call?.outcome;
  const failed = typeof outcome === "object" && !outcome.success;
  return (
    <div class="call-line" aria-live="polite" aria-atomic="true" data-failed={failed}>
      <code>{call ? `sdk.${call.code}` : "sdk"}</code>
      <span class="call-outcome">
        {outcome === undefined
          ? "nothing called yet"
          : outcome === "pending"
            ? "…"
            : outcome.success
              ? `success: true${outcome.data === null ? "" : `, data: ${JSON.stringify(outcome.data)}`}`
              : `${outcome.error.code} ${outcome.error.message}`}
      </span>
    </div>
  );
}
