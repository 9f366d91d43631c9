/** One browser: its disk, its hosts and tabs, who is in Live Chat there, its journals; and the checks of all that. */
import { Checks } from "./checks.js";
import { Disk } from "./disk.js";
import type { Environment } from "./environment.js";
import { Hosts } from "./hosts.js";
import { Journals } from "./journals.js";
import { LiveChat } from "./live-chat.js";
import { Origin } from "./origin.js";
import { SharedStore } from "./store.js";
import { Tab } from "./tab.js";

export class Browser extends Origin {
  readonly disk: Disk;
  readonly checks: Checks;
  readonly hosts: Hosts;
  readonly journals: Journals;
  readonly liveChat: LiveChat;
  readonly tabs = new Set<Tab>();
  isAsleep = false;

  constructor(environment: Environment, name: string) {
    super(environment, name);
    this.disk = new Disk(this);
    this.checks = new Checks(this, this.disk);
    const store = new SharedStore(this, this.disk, this.checks);
    this.hosts = new Hosts(this, this.checks, store, (host) => {
      environment.chronicle.count("retirements");
      for (const tab of this.tabs) tab.hearOfRetirement(host);
    });
    this.journals = new Journals(this, this.checks.outbox);
    this.liveChat = new LiveChat(this, this.tabs);
  }

  open(): Tab {
    const pageId = `${this.name}p${this.nextNumber().toString(36)}`;
    const { hosts, journals, liveChat } = this;
    const around = { origin: this, outbox: this.checks.outbox, hosts, journals, liveChat };
    const tab = new Tab(pageId, around, () => this.tabs.delete(tab));
    this.tabs.add(tab);
    tab.open();
    return tab;
  }

  sleepFor(ms: number): void {
    const { scheduler, chronicle } = this.environment;
    chronicle.fault(this.name, "machine: asleep");
    this.excuse();
    const asleep = [...this.hosts.all, ...this.tabs];
    for (const actor of asleep) actor.freeze();
    this.isAsleep = true;
    scheduler.after(ms, () => {
      this.isAsleep = false;
      this.excuse();
      for (const actor of asleep) actor.thaw();
    });
  }

  /** The person clears the database, or all that the site keeps. */
  emptyDisk(what: "database" | "site"): void {
    const how = what === "site" ? "the site's data are cleared" : "the database is deleted";
    this.checks.emptied(this.disk.empty(how), what === "site");
  }

  override erased(generation: number): void {
    super.erased(generation);
    this.journals.clear();
    for (const tab of this.tabs) tab.hearOfGeneration(generation);
  }
}
