/** The hosts of one browser, and which of them a tab is given. */
import { MINUTE, SECOND } from "../../src/protocol/wire.js";
import type { Actor } from "./actor.js";
import type { Checks } from "./checks.js";
import { SimulatedHost } from "./host.js";
import type { Origin } from "./origin.js";
import type { SharedStore } from "./store.js";

/** What a tab is to its hosts. */
export type HostUser = Actor & { readonly version: number; readonly hostsAbandoned: number };

export class Hosts {
  readonly all = new Set<SimulatedHost>();
  readonly #origin: Origin;
  readonly #checks: Checks;
  readonly #store: SharedStore;
  readonly #onRetired: (host: SimulatedHost) => void;
  readonly #shared = new Map<string, SimulatedHost>();

  /** @param onRetired A host has given way: its pages hear of another one behind the same port. */
  constructor(origin: Origin, checks: Checks, store: SharedStore, onRetired: (host: SimulatedHost) => void) {
    this.#origin = origin;
    this.#checks = checks;
    this.#store = store;
    this.#onRetired = onRetired;
  }

  /** A host of its own, or the one that all tabs of its version share who left as many behind. */
  hostFor(tab: HostUser): SimulatedHost {
    const isShared = this.#origin.environment.plan.hosts === "shared";
    const name = `v${tab.version}:${tab.hostsAbandoned}`;
    const shared = isShared ? this.#shared.get(name) : undefined;
    const host = shared?.isAlive ? shared : this.#newHost(tab.version);
    if (isShared) this.#shared.set(name, host);
    host.tabs.add(tab);
    return host;
  }

  /** A worker without tabs ends; Chromium lets it live on for a while. */
  letGo(host: SimulatedHost, tab: HostUser): void {
    host.tabs.delete(tab);
    if (host.tabs.size > 0) return;
    const { scheduler } = this.#origin.environment;
    // What is frozen is not ended before it thaws: then it still does what it was told.
    const livesOn = host.isFrozen ? 5 * MINUTE : scheduler.chance(0.3) ? scheduler.upTo(30 * SECOND) : 0;
    scheduler.after(livesOn, () => {
      if (host.tabs.size > 0) return;
      host.end();
      this.all.delete(host);
    });
  }

  #newHost(version: number): SimulatedHost {
    const name = `${this.#origin.name}-host${this.#origin.nextNumber()}`;
    const around = { origin: this.#origin, checks: this.#checks, store: this.#store, hosts: this.all };
    const host = new SimulatedHost(name, version, around, () => {
      this.#checks.sending.retired(host);
      this.all.delete(host);
      this.#onRetired(host);
    });
    this.all.add(host);
    return host;
  }
}
