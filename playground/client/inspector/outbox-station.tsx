import type { OutboxRow } from "people-tracking-sdk";

import { formatTime } from "../clock.js";
import { rejectedRows, sdk, show, state, waitingRows } from "../tracker.js";
import { Station } from "./station.js";

const retry = (ids?: string[]) => show("retryRejected(…)", () => sdk.retryRejected(ids));
const discard = (ids?: string[]) => show("discardRejected(…)", () => sdk.discardRejected(ids));

export function OutboxStation() {
  const counts = state.value?.outbox ?? { waiting: 0, rejected: 0 };
  const rows = [...rejectedRows.value, ...waitingRows.value];
  const unseen = counts.waiting + counts.rejected - rows.length;
  return (
    <Station
      id="outbox"
      title="Outbox"
      aside={
        <p class="counts">
          <span>
            <strong>{counts.waiting}</strong> waiting
          </span>
          <span data-bad={counts.rejected > 0}>
            <strong>{counts.rejected}</strong> rejected
          </span>
        </p>
      }
    >
      <div class="well" role="region" aria-label="Rows of the outbox" tabIndex={0}>
        {rows.length === 0 ? (
          <p class="empty">
            {state.value
              ? "Empty: all that was done here has been delivered. Turn the service off below and click around the shop; it fills."
              : "Nothing is known of it until the tracker has started."}
          </p>
        ) : (
          <ul class="rows">
            {unseen > 0 && (
              <li class="more">
                The {rows.length} that go first, of {counts.waiting + counts.rejected}
              </li>
            )}
            {rows.map((row) => (
              <Row key={row.seq} row={row} />
            ))}
          </ul>
        )}
      </div>
    </Station>
  );
}

function Row({ row }: { row: OutboxRow }) {
  return (
    <li class="row" data-state={row.state}>
      <details>
        <summary>
          <span class="row-what">{describe(row)}</span>
          <span class="row-who">{row.profile.kind}</span>
          <time dateTime={row.occurredAt}>{formatTime(row.occurredAt)}</time>
          <span class="row-state">{row.state}</span>
        </summary>
        <pre tabIndex={0}>{JSON.stringify(row.operation, null, 2)}</pre>
      </details>
      {row.state === "rejected" && (
        <p class="row-error">
          <span>{row.error?.message ?? "The service gave no reason."}</span>
          <button type="button" class="link-button" onClick={() => void retry([row.id])}>
            Retry
          </button>
          <button type="button" class="link-button" onClick={() => void discard([row.id])}>
            Discard
          </button>
        </p>
      )}
    </li>
  );
}

/** Names an event by its definition, and everything else by its type. */
function describe({ type, operation }: OutboxRow): string {
  const { definitionId, attribute } = operation as { definitionId?: unknown; attribute?: unknown };
  if (typeof definitionId === "string") return definitionId;
  return typeof attribute === "string" ? `${type} ${attribute}` : type;
}
