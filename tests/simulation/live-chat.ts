/** Who is at the keyboard of one browser, and how its tabs come to know: each in its own time, some of it twice. */
import type { LiveChatSession } from "../../src/protocol/api.js";
import { MINUTE, SECOND } from "../../src/protocol/wire.js";
import type { Actor } from "./actor.js";
import type { Origin } from "./origin.js";

/** A tab, which reads the session when Live Chat says that it has changed. */
type Reader = Actor & { readLiveChat(): void };

export class LiveChat {
  readonly #origin: Origin;
  readonly #tabs: Iterable<Reader>;
  current: LiveChatSession | null = null;

  constructor(origin: Origin, tabs: Iterable<Reader>) {
    this.#origin = origin;
    this.#tabs = tabs;
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
    const personId = `user${this.#origin.environment.scheduler.upTo(2)}`;
    this.#become({ id, kind: "authenticated", personId, token: this.#newId("token") });
  }

  renewToken(): void {
    if (this.current) this.#become({ ...this.current, token: this.#newId("token") });
  }

  logOut(): void {
    if (this.current) this.#become(null);
  }

  #become(session: LiveChatSession | null): void {
    const { scheduler, service, chronicle } = this.#origin.environment;
    const former = this.current;
    const isSamePerson = former?.personId === session?.personId && former?.kind === session?.kind;
    if (former && !isSamePerson) service.liveChat.end(former.token);
    if (session) service.liveChat.start(session, isSamePerson ? former?.token : undefined);
    this.current = session;
    chronicle.tell(
      this.#origin.name,
      `Live Chat: ${session ? `${session.kind} ${session.personId} in ${session.id}` : "nobody"}`,
    );
    for (const tab of this.#tabs) {
      const delayMs = scheduler.pick([0, 200, 5 * SECOND, 2 * MINUTE]);
      tab.after(scheduler.upTo(delayMs), () => tab.readLiveChat());
    }
  }

  #newId(prefix: string): string {
    return `${prefix}${this.#origin.environment.uuid().slice(-8)}`;
  }
}
