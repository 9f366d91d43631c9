import { formatTime } from "../clock.js";
import { wire } from "../demo-feed.js";
import type { WireEntry, WireOperation } from "../../demo-feed.js";
import { Station } from "./station.js";

const SHOWN_OPERATIONS = 60;

export function WireStation() {
  return (
    <Station id="wire" title="Sent and answered" aside={<p class="hint">from the server’s own log</p>}>
      <div class="well" role="region" aria-label="Requests to the service" tabIndex={0}>
        {wire.value.length === 0 ? (
          <p class="empty">No request yet. Open a product, or press “Flush”.</p>
        ) : (
          <ul class="rows">
            {withoutRepeats(wire.value).map(({ entry, attempts }) => (
              <Entry key={entry.n} entry={entry} attempts={attempts} />
            ))}
          </ul>
        )}
      </div>
    </Station>
  );
}

/**
 * Groups consecutive attempts that were cut into one row. A browser repeats a request by itself if a connection that it had kept
 * open is dead, and the tracker retries after a while.
 */
function withoutRepeats(entries: readonly WireEntry[]): { entry: WireEntry; attempts: number }[] {
  const rows: { entry: WireEntry; attempts: number }[] = [];
  for (const entry of entries) {
    const newer = rows.at(-1);
    const isRepeat =
      entry.status === "cut" && newer?.entry.status === "cut" && newer.entry.path === entry.path;
    if (isRepeat) newer.attempts++;
    else rows.push({ entry, attempts: 1 });
  }
  return rows;
}

function Entry({ entry, attempts }: { entry: WireEntry; attempts: number }) {
  const isBad = entry.status === "cut" || entry.status >= 400;
  return (
    <li class="row" data-state={isBad ? "rejected" : "answered"}>
      <details>
        <summary>
          <span class="row-what">
            <span class="method">{entry.method}</span> {entry.path.replace(/^\/people\/v1/, "")}
          </span>
          <span class="row-who">{attempts > 1 ? `${attempts} attempts` : summarise(entry)}</span>
          <time dateTime={entry.at}>{formatTime(entry.at)}</time>
          <span class="row-state">{entry.status}</span>
        </summary>
        <div class="entry">
          <p>
            {entry.status === "cut"
              ? "The connection was destroyed before the service saw it."
              : `${entry.tookMs} ms`}
            {entry.bytes > 0 && `, ${entry.bytes.toLocaleString("en")} bytes of JSON`}
            {entry.error && `: ${entry.error}`}
          </p>
          {entry.profile && (
            <p class="mono">
              {entry.profile.kind} {entry.profile.id}
            </p>
          )}
          {entry.operations && <Results operations={entry.operations} />}
        </div>
      </details>
    </li>
  );
}

function Results({ operations }: { operations: readonly WireOperation[] }) {
  return (
    <ol class="results">
      {operations.slice(0, SHOWN_OPERATIONS).map(({ id, type, what, status, error }) => (
        <li key={id} data-bad={status === "rejected"}>
          <span>{what ?? type}</span>
          <span class="mono">{id}</span>
          <span>{status ?? "–"}</span>
          {error && <em>{error}</em>}
        </li>
      ))}
      {operations.length > SHOWN_OPERATIONS && (
        <li class="more">and {operations.length - SHOWN_OPERATIONS} more</li>
      )}
    </ol>
  );
}

/** `3 operations: 2 accepted, 1 rejected` */
function summarise({ operations, profile }: WireEntry): string {
  if (!operations) return profile?.kind ?? "";
  const byStatus = new Map<string, number>();
  for (const { status } of operations) if (status) byStatus.set(status, (byStatus.get(status) ?? 0) + 1);
  const results = [...byStatus].map(([status, count]) => `${count} ${status}`).join(", ");
  return results || `${operations.length} ${operations.length === 1 ? "operation" : "operations"}`;
}
