import type { PersonReading, TimelineEntry } from "../demo-feed.js";
import { DEMO_ADMIN_KEY } from "./demo-secrets.js";

export type Fetch = (request: Request) => Response | Promise<Response>;

const SHOWN_ENTRIES = 80;

/**
 * Reads a person for the page, so that the page never gets the admin key. It bypasses the switch, to show what the service has
 * while it is unreachable. It returns `null` if the service responds with 404, as for every visitor.
 */
export async function readPerson(service: Fetch, id: string): Promise<PersonReading | null> {
  const path = `/persons/${encodeURIComponent(id)}`;
  const person = await read<Record<string, unknown>>(service, path);
  if (!person) return null;
  let entries: TimelineEntry[] = [];
  let total = 0;
  // Read from the beginning each time, because late operations of an offline browser are inserted in the middle.
  for (let after: string | null = ""; after !== null;) {
    const query: string = after && `?after=${encodeURIComponent(after)}`;
    const page: { entries: TimelineEntry[]; next: string | null } | null = await read(
      service,
      `${path}/timeline${query}`,
    );
    if (!page) return null;
    total += page.entries.length;
    entries = [...entries, ...page.entries].slice(-SHOWN_ENTRIES);
    after = page.next;
  }
  return { person, entries: entries.toReversed(), total };
}

async function read<T>(service: Fetch, path: string): Promise<T | null> {
  const response = await service(
    new Request(`http://localhost/people/v1${path}`, { headers: { Authorization: `App ${DEMO_ADMIN_KEY}` } }),
  );
  return response.ok ? ((await response.json()) as T) : null;
}
