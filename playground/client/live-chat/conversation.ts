import { storedSignal } from "../stored-signal.js";
import { chatSession, liveChat, signOut } from "./live-chat.js";

export interface Message {
  from: "you" | "shop";
  text: string;
}

const isMessages = (value: unknown): value is Message[] => Array.isArray(value) && value.every(isMessage);
const isMessage = (value: unknown): value is Message => {
  const { from, text } = (value ?? {}) as Partial<Record<keyof Message, unknown>>;
  return (from === "you" || from === "shop") && typeof text === "string";
};

const [stored, store] = storedSignal<Message[]>("updraft:messages", [], isMessages);
export const messages = stored;

let session = chatSession.peek();
chatSession.subscribe((next) => {
  // They belong to the session's person. What was said before there was a session stays: it is about to start.
  if (session && !next) store([]);
  session = next;
});

/** Says something, which starts the chat, and adds the shop's reply. The first message turns a visitor into a lead. */
export function say(text: string): void {
  liveChat.sessionStarted();
  add({ from: "you", text });
  setTimeout(() => {
    if (messages.value.length > 0) add({ from: "shop", text: replyTo(text) });
  }, 700);
}

export function endChat(): void {
  signOut();
  store([]);
}

function add(message: Message): void {
  store([...messages.value, message].slice(-50));
}

export const OPENERS = ["Which kite for a beginner?", "Do you ship today?", "What do you know about me?"];

/** The first match is used. The last one matches everything. */
const REPLIES: readonly (readonly [RegExp, string])[] = [
  [
    /beginner|first|child|kid|learn/i,
    "The Pocket Sled: no frame, nothing to break. The Eddy, once it is let go of.",
  ],
  [/ship|deliver|order|when/i, "Orders placed before noon leave the same day. These would, if they existed."],
  [
    /know|track|data|privacy|about me/i,
    "What you see in the panel beside the shop: pages, clicks and what you typed into the details. Until somebody chats or signs in, it belongs to an anonymous visitor; from then on to a profile, which the panel shows as the service has it.",
  ],
  [
    /offline|reach|down|lost/i,
    "Turn the service off in the panel and go on clicking. Nothing is lost; it waits in the outbox.",
  ],
  [
    /wind|beaufort|bft|beach/i,
    "Under 2 Bft take the Skerry Delta, from 5 Bft on the Hargrave Box. In between, anything flies.",
  ],
  [/return|refund|broke/i, "30 days, flown or not. Spars are spares: write to us and we post one."],
  [/hi|hello|hey|good (morning|evening)/i, "Hello! Ask about kites, shipping, or what this page tracks."],
  [/./s, "This is an automatic reply, and it has run out of answers. Try “beginner”, “shipping” or “track”."],
];
const replyTo = (text: string) => REPLIES.find(([pattern]) => pattern.test(text))?.[1] ?? "";
