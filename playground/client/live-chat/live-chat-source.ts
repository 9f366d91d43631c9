import { computed, effect } from "@preact/signals";
import type { LiveChatSession, LiveChatSource } from "people-tracking-sdk";

import { DEMO_PEOPLE, type DemoPersonId } from "../../demo-people.js";
import { storedSignal } from "../stored-signal.js";
import {
  authenticate,
  checkSession,
  startSession,
  terminateSession,
  type Answer,
  type Grant,
} from "./live-chat-calls.js";

const RETRY_MS = 10_000;

/** A Live Chat session as this browser stores it. The page greets its user by `name`. */
interface KeptSession extends LiveChatSession {
  name?: string;
}
interface Kept {
  session: KeptSession | null;
  /** Tokens of sessions that ended while the service was unreachable, to be terminated once it responds. */
  toTerminate: string[];
}

const isKept = (value: unknown): value is Kept => {
  const { session, toTerminate } = (value ?? {}) as Partial<Record<keyof Kept, unknown>>;
  const { id, kind, personId, token } = (session ?? {}) as Partial<Record<keyof LiveChatSession, unknown>>;
  return (
    Array.isArray(toTerminate) &&
    (session === null || [id, kind, personId, token].every((field) => typeof field === "string"))
  );
};

const [kept, keep] = storedSignal<Kept>("updraft:live-chat", { session: null, toTerminate: [] }, isKept);

export const chatSession = computed(() => kept.value.session);

/** Provides Live Chat as the global that the tracker uses, with the interface that it expects. */
export function installLiveChat(): void {
  const source: LiveChatSource = {
    ready: () => Promise.resolve(),
    session: () => publicSession(chatSession.value),
    subscribe: (listener) => {
      let first = true;
      return effect(() => {
        const session = publicSession(chatSession.value);
        // A signal's effect runs at once; a subscriber wants the changes.
        if (!first) listener(session);
        first = false;
      });
    },
  };
  Object.assign(globalThis, { LiveChat: source });

  void reconcile();
  setInterval(() => {
    if (kept.value.toTerminate.length > 0) void reconcile();
  }, RETRY_MS);
  // Another tab or the service may have ended the session while this tab was suspended.
  addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") void reconcile();
  });
}

function publicSession(session: KeptSession | null): LiveChatSession | null {
  return session && { id: session.id, kind: session.kind, personId: session.personId, token: session.token };
}

/** Drops a session that the service has terminated, and terminates those that it could not terminate before. */
export async function reconcile(): Promise<void> {
  const { session, toTerminate } = kept.value;
  for (const token of toTerminate) {
    const answer = await terminateSession(token);
    if (answer.ok || answer.reason === "refused") {
      keep({ ...kept.value, toTerminate: kept.value.toTerminate.filter((other) => other !== token) });
    }
  }
  if (!session) return;
  const answer = await checkSession(session.token);
  if (!answer.ok && answer.reason === "refused" && chatSession.value?.token === session.token) {
    keep({ ...kept.value, session: null });
  }
}

export async function startChat(): Promise<Answer<Grant>> {
  return adopt(await startSession());
}

export async function signIn(personId: DemoPersonId): Promise<Answer<Grant>> {
  const minted = await mintJwt(personId);
  if (!minted.ok) return minted;
  const name = DEMO_PEOPLE.find((person) => person.id === personId)?.name;
  return adopt(await authenticate(minted.value, chatSession.value?.id), name);
}

/** Ends the session in this browser at once, and on the service now or as soon as it responds. */
export async function leave(): Promise<void> {
  const { session, toTerminate } = kept.value;
  if (!session) return;
  keep({ session: null, toTerminate: [...toTerminate, session.token] });
  await reconcile();
}

function adopt(answer: Answer<Grant>, name?: string): Answer<Grant> {
  if (answer.ok) {
    const { sessionId, token, person } = answer.value;
    const session = { id: sessionId, kind: person.kind, personId: person.id, token, ...(name && { name }) };
    keep({ ...kept.value, session });
  }
  return answer;
}

async function mintJwt(personId: DemoPersonId): Promise<Answer<string>> {
  try {
    const response = await fetch("/demo/jwt", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ personId }),
    });
    const { jwt } = (await response.json()) as { jwt: string };
    return { ok: true, value: jwt };
  } catch {
    return { ok: false, reason: "unreachable", message: "The demo server does not answer. Is it running?" };
  }
}
