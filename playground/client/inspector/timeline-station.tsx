import type { PersonReading, TimelineEntry } from "../../demo-feed.js";
import { formatTime } from "../clock.js";
import { reading } from "../person-reading.js";
import { state } from "../tracker.js";
import { PersonFields } from "./person-fields.js";
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
      <PersonFields person={person} />
      <ul class="rows">
        {entries.map((entry) => (
          <Entry key={entry.cursor} entry={entry} />
        ))}
        {total > entries.length && <li class="more">and {count(total - entries.length)} before</li>}
      </ul>
    </>
  );
}

function Entry({ entry }: { entry: TimelineEntry }) {
  const { definitionId, occurredAt } = entry;
  const isBoundary = definitionId === "sessionStarted" || definitionId === "sessionEnded";
  return (
    <li class="row" data-boundary={isBoundary}>
      <details>
        <summary>
          <span class="row-what">{definitionId}</span>
          <span class="row-who">{isBoundary ? describeSession(entry) : describeProperties(entry)}</span>
          <time dateTime={occurredAt}>{formatTime(occurredAt)}</time>
        </summary>
        <pre tabIndex={0}>{JSON.stringify(entry, null, 2)}</pre>
      </details>
    </li>
  );
}

const describeSession = ({ closedBy, sessionId }: TimelineEntry) =>
  closedBy ? "closed by the service" : sessionId;

function describeProperties({ definitionId, properties = {} }: TimelineEntry): string {
  const shown = definitionId === "pageView" ? [properties["title"]] : Object.values(properties);
  return shown.map((value) => (typeof value === "string" ? value : JSON.stringify(value))).join(", ");
}
