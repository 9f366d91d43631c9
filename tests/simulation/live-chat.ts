/** Who is at the keyboard of one browser, and how its tabs come to know: each in its own time, some of it twice. */
import type { LiveChatSession } from "../../src/protocol/api.js";
import { MINUTE, SECOND } from "../../src/protocol/wire.js";
import type { Browser } from "./browser.js";

export class LiveChat {
  readonly #browser: Browser;
  current: LiveChatSession | null = null;

  constructor(browser: Browser) {
    this.#browser = browser;
  }

  startChat(): void {
    if (this.current) return;
    const id = this.#newId("chat");
    this.#become({ id, kind: "lead", personId: `lead-of-${id}`, token: this.#newId("token") });
  }

  /** In the chat's own session where there is one. The same user may sign in again and again, in other browsers too. */
  authenticate(): void {
    if (this.current?.kind === "authenticated") return;
    const id = this.current?.id ?? this.#newId("chat");
    const personId = `user${this.#browser.world.scheduler.upTo(2)}`;
    this.#become({ id, kind: "authenticated", personId, token: this.#newId("token") });
  }

  renewToken(): void {
    if (this.current) this.#become({ ...this.current, token: this.#newId("token") });
  }

  logOut(): void {
    if (this.current) this.#become(null);
  }

  #become(session: LiveChatSession | null): void {
    const { scheduler, service, chronicle } = this.#browser.world;
    const former = this.current;
    const isSamePerson = former?.personId === session?.personId && former?.kind === session?.kind;
    if (former && !isSamePerson) service.liveChat.end(former.token);
    if (session) service.liveChat.start(session, isSamePerson ? former?.token : undefined);
    this.current = session;
    chronicle.tell(
      this.#browser.name,
      `Live Chat: ${session ? `${session.kind} ${session.personId} in ${session.id}` : "nobody"}`,
    );
    for (const tab of this.#browser.tabs) {
      const delayMs = scheduler.pick([0, 200, 5 * SECOND, 2 * MINUTE]);
      tab.after(scheduler.upTo(delayMs), () => tab.readLiveChat());
    }
  }

  #newId(prefix: string): string {
    return `${prefix}${this.#browser.world.uuid().slice(-8)}`;
  }
}
