import type { TrackerState } from "people-tracking-sdk";

import { formatRemaining, formatTime, now } from "../clock.js";
import { state } from "../tracker.js";
import { Station } from "./station.js";

const HOSTS = {
  shared: "SharedWorker, one for all tabs",
  dedicated: "Worker of this tab",
  page: "This page itself",
};
const KINDS = { visitor: "Visitor", lead: "Lead", authenticated: "Authenticated user" };
const REASONS = {
  visitor: "Nobody has chatted or signed in here yet, so this is someone anonymous.",
  lead: "A chat was started. What the visitor did before moves along.",
  authenticated: "Live Chat knows who this is: they signed in.",
};

export function BrowserStation() {
  const known = state.value;
  return (
    <Station
      id="browser"
      title="This browser"
      aside={
        known && (
          <ul class="chips" aria-label="Where the tracker runs">
            <li title={HOSTS[known.host]}>{known.host === "shared" ? "shared worker" : known.host}</li>
            <li data-bad={known.storage === "memory"}>
              {known.storage === "disk" ? "on disk" : "in memory only"}
            </li>
            <li data-bad={!known.online}>{known.online ? "online" : "offline"}</li>
            {known.optedOut && <li data-bad>opted out</li>}
          </ul>
        )
      }
    >
      <div class="pair">
        <Who profile={known?.profile ?? null} />
        <ActivitySession session={known?.session ?? null} />
      </div>
    </Station>
  );
}

function Who({ profile }: { profile: TrackerState["profile"] }) {
  return (
    <div class="tile who" data-kind={profile?.kind}>
      <h4>Profile</h4>
      <p class="big">{profile ? KINDS[profile.kind] : "None yet"}</p>
      <p class="mono" title={profile?.id}>
        {profile?.id ?? "–"}
      </p>
      <p class="why">{profile ? REASONS[profile.kind] : "The first activity makes one."}</p>
    </div>
  );
}

function ActivitySession({ session }: { session: TrackerState["session"] }) {
  const isOver = session !== null && Date.parse(session.expiresAt) <= now.value;
  return (
    <div class="tile">
      <h4>Activity session</h4>
      <p class="big" role="timer" aria-label="Time until the session expires">
        {session && !isOver ? formatRemaining(session.expiresAt, now.value) : "None"}
        {session && !isOver && <small> left</small>}
      </p>
      <p class="mono" title={session?.id}>
        {session?.id ?? "–"}
      </p>
      <p class="why">
        {session && !isOver
          ? `Started ${formatTime(session.startedAt)}. Last activity ${formatTime(session.lastActivityAt)}, in any tab.`
          : "The next activity starts one."}
      </p>
    </div>
  );
}
