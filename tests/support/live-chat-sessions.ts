/** The Live Chat sessions that the People service knows: whose tokens they are, and when they ended. */
import type { LiveChatSession, Profile } from "../../src/protocol/api.js";
import { DAY } from "../../src/protocol/wire.js";
import { profileKey } from "../../src/core/delivery/registrar.js";

/** Shared by the tokens that were given for one session. */
interface Grant {
  profile: Profile;
  endedAt: number;
}

export class LiveChatSessions {
  readonly #clock: { readonly now: number };
  readonly #grants = new Map<string, Grant>();

  constructor(clock: { readonly now: number }) {
    this.#clock = clock;
  }

  /** @param former A token of the same Live Chat session, which this one follows. */
  start({ token, kind, personId }: LiveChatSession, former = ""): void {
    const grant = this.#grants.get(former) ?? { profile: { kind, id: personId }, endedAt: Infinity };
    this.#grants.set(token, grant);
  }

  end(token: string): void {
    const grant = this.#grants.get(token);
    if (grant) grant.endedAt = this.#clock.now;
  }

  /** Whether someone with this token can register that person: until 30 days after the session's end. */
  givesAccess(token: string, person: Profile): boolean {
    const grant = this.#grants.get(token);
    const isTheirs = grant !== undefined && profileKey(grant.profile) === profileKey(person);
    return isTheirs && this.#clock.now <= grant.endedAt + 30 * DAY;
  }

  /** When the last Live Chat session of that person ended. */
  endOf(person: Profile): number {
    let end = -Infinity;
    for (const { profile, endedAt } of this.#grants.values()) {
      if (profileKey(profile) === profileKey(person)) end = Math.max(end, endedAt);
    }
    return end;
  }
}
