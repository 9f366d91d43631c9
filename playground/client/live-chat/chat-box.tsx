import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

import { view } from "../view-bar.js";
import { endChat, messages, OPENERS, say } from "./conversation.js";
import { chatSession, userName } from "./live-chat.js";

const STATES = { lead: "Chat started: you are a lead.", authenticated: "Signed in." };

export function ChatBox() {
  const open = useSignal(false);
  const log = useRef<HTMLDivElement>(null);
  const input = useRef<HTMLInputElement>(null);
  const said = messages.value;
  const session = chatSession.value;
  // On a phone the open chat fills the screen.
  const Title = view.value === "chat" ? "h1" : "h2";

  useEffect(() => {
    log.current?.scrollTo({ top: log.current.scrollHeight });
  }, [said.length, open.value]);

  const send = (text: string) => {
    say(text);
    if (input.current) input.current.value = "";
  };

  return (
    <aside class="chat" data-open={open.value} aria-label="Live Chat">
      <section class="chat-window" id="chat-window">
        <header>
          <Title>Live Chat</Title>
          <p>Replies are automatic; nobody reads along.</p>
          <button
            type="button"
            class="icon-button chat-close"
            aria-label="Close Live Chat"
            onClick={() => (open.value = false)}
          >
            <svg viewBox="0 0 24 24" aria-hidden="true">
              <path d="M6 6l12 12M18 6 6 18" />
            </svg>
          </button>
        </header>
        <div ref={log} class="chat-log" role="log" aria-label="Messages" tabIndex={0}>
          <p class="from-shop">
            {userName.value !== null ? `Good to see you, ${userName.value}.` : "Hello!"} Ask about kites,
            shipping, or what this page tracks.
          </p>
          {said.map((message, index) => (
            <p key={index} class={`from-${message.from}`}>
              <span class="visually-hidden">{message.from === "you" ? "You: " : "Shop: "}</span>
              {message.text}
            </p>
          ))}
        </div>
        {said.length === 0 && (
          <p class="chat-openers">
            {OPENERS.map((text) => (
              <button key={text} type="button" onClick={() => send(text)}>
                {text}
              </button>
            ))}
          </p>
        )}
        <form
          class="chat-form"
          onSubmit={(event) => {
            event.preventDefault();
            const text = input.current?.value.trim();
            if (text) send(text);
          }}
        >
          <input
            ref={input}
            aria-label="Your message"
            placeholder="Write a message"
            maxLength={500}
            autocomplete="off"
          />
          <button type="submit" class="button small">
            Send
          </button>
        </form>
        <footer>
          {session || said.length > 0 ? (
            <>
              <span>{session ? STATES[session.kind] : "The chat starts once the service answers."}</span>
              <button type="button" class="link-button" onClick={endChat}>
                {session?.kind === "authenticated" ? "Sign out" : "End chat"}
              </button>
            </>
          ) : (
            <span>Your first message starts the chat.</span>
          )}
        </footer>
      </section>
      <button
        type="button"
        class="chat-launcher"
        aria-expanded={open.value}
        aria-controls="chat-window"
        onClick={() => {
          open.value = !open.value;
          if (open.value) requestAnimationFrame(() => input.current?.focus());
        }}
      >
        <svg viewBox="0 0 24 24" aria-hidden="true">
          <path d="M4 5h16v11H10l-4 4v-4H4z" />
        </svg>
        Live Chat
      </button>
    </aside>
  );
}
