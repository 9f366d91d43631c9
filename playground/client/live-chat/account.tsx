import { useRef } from "preact/hooks";

import { DEMO_PEOPLE } from "../../demo-people.js";
import { isSigningIn, signIn, signOut, userName } from "./live-chat.js";

/** As in the style sheet. */
const MENU_WIDTH = 280;

/** Signs in as one of two invented people, or out. It is a popover, so that Escape and a click outside close it. */
export function Account() {
  const menu = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);

  const choose = (run: () => void) => {
    run();
    menu.current?.hidePopover();
  };

  // A popover is outside the page's layout. CSS anchors would position it, but not every browser has them.
  const place = () => {
    if (!menu.current || !button.current) return;
    const { bottom, right } = button.current.getBoundingClientRect();
    menu.current.style.top = `${bottom + 8}px`;
    menu.current.style.left = `${Math.max(8, right - MENU_WIDTH)}px`;
  };

  return (
    <div class="account">
      <button ref={button} type="button" class="button small" popovertarget="account-menu">
        {userName.value ?? (isSigningIn.value ? "Signing in…" : "Sign in")}
      </button>
      <div
        ref={menu}
        id="account-menu"
        class="account-menu"
        popover="auto"
        aria-label="Account"
        onBeforeToggle={place}
      >
        {userName.value !== null ? (
          <>
            <p>Signed in to Live Chat as {userName.value}.</p>
            <button type="button" class="button" onClick={() => choose(signOut)}>
              Sign out
            </button>
          </>
        ) : (
          <>
            <p>Two made-up people. The demo server signs their tokens; a shop’s own server would.</p>
            {DEMO_PEOPLE.map(({ id, name, email }) => (
              <button key={id} type="button" class="person" onClick={() => choose(() => signIn(id))}>
                <strong>{name}</strong>
                <span>{email}</span>
              </button>
            ))}
          </>
        )}
      </div>
    </div>
  );
}
