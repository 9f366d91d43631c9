import { computed, signal } from "@preact/signals";
import { createLiveChatSession } from "people-tracking-sdk/live-chat";

import { DEMO_PEOPLE, type DemoPersonId } from "../../demo-people.js";
import { storedSignal } from "../stored-signal.js";

/** The shop's Live Chat: what it reports to this, the tracker learns. */
export const liveChat = createLiveChatSession();

/** The Live Chat session of this browser, as the service has granted it. */
export const chatSession = signal(liveChat.session());
/** Somebody has signed in in this tab, and the service has not answered yet. */
export const isSigningIn = signal(false);

liveChat.subscribe((session) => {
  chatSession.value = session;
  if (session?.kind === "authenticated") isSigningIn.value = false;
});

const isPersonId = (value: unknown): value is DemoPersonId => DEMO_PEOPLE.some(({ id }) => id === value);
const [signedInAs, setSignedInAs] = storedSignal<DemoPersonId | null>(
  "updraft:signed-in-as",
  null,
  (value) => value === null || isPersonId(value),
);

/** By which the page greets its user; `null` while nobody is signed in. */
export const userName = computed(() =>
  chatSession.value?.kind === "authenticated"
    ? (DEMO_PEOPLE.find(({ id }) => id === signedInAs.value)?.name ?? "Signed in")
    : null,
);

export function signIn(personId: DemoPersonId): void {
  setSignedInAs(personId);
  isSigningIn.value = true;
  liveChat.signedIn(() => fetchJwt(personId), personId);
}

export function signOut(): void {
  isSigningIn.value = false;
  liveChat.signedOut();
}

async function fetchJwt(personId: DemoPersonId): Promise<string> {
  const response = await fetch("/demo/jwt", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ personId }),
  });
  const { jwt } = (await response.json()) as { jwt: string };
  return jwt;
}
