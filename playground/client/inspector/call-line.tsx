import type { Call } from "../tracker.js";

/** Shows the page's last call as code, and its outcome. A screen reader announces only the outcome. */
export function CallLine({ call }: { call: Call | null }) {
  const outcome = call?.outcome;
  const failed = typeof outcome === "object" && !outcome.success;
  return (
    <div class="call-line" data-failed={failed}>
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
      <span class="visually-hidden" role="status">
        {typeof outcome === "object" && (outcome.success ? `${nameOf(call)}: done` : outcome.error.message)}
      </span>
    </div>
  );
}

const nameOf = (call: Call | null) => call?.code.split("(")[0] ?? "";
