import type { PersonReading, TimelineEntry } from "../../demo-feed.js";
import { formatTime } from "../clock.js";
import { reading } from "../person-reading.js";
import { state } from "../tracker.js";
import { Station } from "./station.js";

export function TimelineStation() {
  const shown = reading.value;
  return (
    <Station
      id="timeline"
      title="On the person’s timeline"
      aside={shown && <p class="hint">{count(shown.total)}, newest first</p>}
    >
      <div class="well" role="region" aria-label="The person’s timeline on the service" tabIndex={0}>
        {shown ? <Timeline {...shown} /> : <Nobody />}
      </div>
    </Station>
  );
}

const count = (entries: number) => `${entries} ${entries === 1 ? "entry" : "entries"}`;

function Nobody() {
  const kind = state.value?.profile?.kind;
  return (
    <p class="empty">
      {kind === undefined || kind === "visitor"
        ? "A visitor cannot be read back: the service answers 404, by design. Start a chat or sign in, and what this visitor did appears here."
        : "The service has no such person yet. Once it is reachable, what waits above makes it here."}
    </p>
  );
}

function Timeline({ person, entries, total }: PersonReading) {
  return (
    <>
      <Fields person={person} />
      <ul class="rows">
        {entries.map((entry) => (
          <Entry key={entry.cursor} entry={entry} />
        ))}
        {total > entries.length && <li class="more">and {count(total - entries.length)} before</li>}
      </ul>
    </>
  );
}

const OWN_FIELDS = new Set(["id", "kind", "createdAt", "lastActivityAt"]);

/** What is known of the person beside what they did. */
function Fields({ person }: { person: Record<string, unknown> }) {
  const fields = Object.entries(person).filter(([name]) => !OWN_FIELDS.has(name));
  if (fields.length === 0) return null;
  return (
    <dl class="fields">
      {fields.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{typeof value === "string" ? value : JSON.stringify(value)}</dd>
        </div>
      ))}
    </dl>
  );
}

function Entry({ entry }: { entry: TimelineEntry }) {
  const { definitionId, occurredAt, properties = {}, closedBy } = entry;
  const isBoundary = definitionId === "sessionStarted" || definitionId === "sessionEnded";
  return (
    <li class="row" data-boundary={isBoundary}>
      <details>
        <summary>
          <span class="row-what">{definitionId}</span>
          <span class="row-who">
            {closedBy
              ? "closed by the service"
              : isBoundary
                ? entry.sessionId
                : Object.values(properties).map(asText).join(", ")}
          </span>
          <time dateTime={occurredAt}>{formatTime(occurredAt)}</time>
        </summary>
        <pre tabIndex={0}>{JSON.stringify(entry, null, 2)}</pre>
      </details>
    </li>
  );
}

const asText = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));
