import { computed, effect, signal } from "@preact/signals";

import type { PersonReading } from "../demo-feed.js";
import { wire } from "./demo-feed.js";
import { state } from "./tracker.js";

/** The selected profile, as the service returns it; `null` if it returns none. */
export const reading = signal<PersonReading | null>(null);

const personId = computed(() =>
  state.value?.profile?.kind === "visitor" ? undefined : state.value?.profile?.id,
);

/** Reads the profile again when another profile is selected or a request has reached the service. */
export function followPerson(): void {
  effect(() => {
    const id = personId.value;
    void wire.value; // any request may have changed the person
    if (id === undefined) reading.value = null;
    else void read(id);
  });
}

async function read(id: string): Promise<void> {
  try {
    const response = await fetch(`/demo/persons/${encodeURIComponent(id)}`);
    const answer = response.ok ? ((await response.json()) as PersonReading) : null;
    // Another profile may have been selected meanwhile.
    if (personId.peek() === id) reading.value = answer;
  } catch {
    // The demo server is unreachable: keep showing what was read last.
  }
}
