/** What happens to a browser, a step at a time: its users, its machine, its network, and the service behind it. */
import { HOUR, LIMITS, MINUTE, SECOND } from "../../src/protocol/wire.js";
import { API_KEY } from "../support/people-service.js";
import type { Browser } from "./browser.js";
import { anyCall } from "./calls.js";
import { defineAnother } from "./events.js";
import type { SimulatedHost } from "./host.js";
import { COMPRESSED_ANSWERS } from "./network.js";
import type { Tab } from "./tab.js";

export const act = (browser: Browser): void => {
  const { scheduler, plan } = browser.environment;
  const tabs = [...browser.tabs].filter(({ isCached }) => !isCached);
  if (browser.isAsleep) return;
  if (tabs.length === 0) {
    if (scheduler.chance(0.6)) browser.open();
    return;
  }
  if (scheduler.chance(plan.tabs)) return moveTabs(browser, tabs);
  if (scheduler.chance(plan.liveChat)) return useLiveChat(browser, tabs);
  if (scheduler.chance(plan.hostFaults)) return troubleHosts(browser);
  if (scheduler.chance(plan.clocks)) {
    return browser.setClock(
      (scheduler.chance(0.5) ? 1 : -1) * scheduler.upTo(scheduler.pick([MINUTE, 2 * HOUR, 240 * HOUR])),
    );
  }
  if (scheduler.chance(plan.sleeps))
    return browser.sleepFor(scheduler.upTo(scheduler.pick([5 * MINUTE, 10 * HOUR])));
  if (scheduler.chance(plan.consent)) {
    return scheduler.pick(tabs).choose(scheduler.chance(0.4) ? "out" : "in");
  }
  if (scheduler.chance(plan.privacyControl)) {
    browser.sendsPrivacyControl = !browser.sendsPrivacyControl;
    const word = browser.sendsPrivacyControl ? "on" : "off";
    return browser.environment.chronicle.fault(browser.name, `privacy control: ${word}`);
  }
  if (scheduler.chance(plan.deploys)) {
    browser.version += 1;
    return browser.environment.chronicle.fault(browser.name, "site: a new version");
  }
  if (scheduler.chance(plan.erasing)) return scheduler.pick(tabs).ask("erases", (tracker) => tracker.erase());
  if (scheduler.chance(plan.serviceFaults)) return troubleService(browser);
  if (scheduler.chance(plan.refusedProfiles)) return refuseProfile(browser);
  if (scheduler.chance(plan.ways)) return changeWay(browser);
  if (scheduler.chance(plan.diskFaults)) return troubleDisk(browser);
  if (scheduler.chance(0.15)) return askHosts(browser, scheduler.pick(tabs));
  const calls = Array.from({ length: 1 + scheduler.upTo(plan.burst) }, () => anyCall(browser.environment));
  scheduler.pick(tabs).call(calls);
};

const moveTabs = (browser: Browser, tabs: readonly Tab[]): void => {
  const { scheduler } = browser.environment;
  const tab = scheduler.pick(tabs);
  const chance = scheduler.random();
  if (chance < 0.35 && tabs.length < 5) browser.open();
  else if (chance < 0.5) tab.close("closes");
  else if (chance < 0.6) tab.close("crashes");
  else if (chance < 0.75) {
    // A call in the same task as the end of the page.
    tab.call([anyCall(browser.environment)]);
    tab.close("closes");
    if (scheduler.chance(0.7)) browser.open();
  } else if (chance < 0.8) tab.cacheFor(scheduler.upTo(scheduler.pick([5 * SECOND, 10 * MINUTE])));
  else if (chance < 0.88) {
    browser.environment.chronicle.fault(tab.name, "tab: frozen");
    tab.freeze();
    scheduler.after(scheduler.upTo(20 * MINUTE), () => tab.thaw());
  } else if (tab.isTracking) tab.takeInJournals();
  else tab.open();
};

const useLiveChat = ({ environment: { scheduler }, liveChat }: Browser, tabs: readonly Tab[]): void => {
  const chance = scheduler.random();
  if (chance < 0.3) liveChat.startChat();
  else if (chance < 0.5) liveChat.authenticate();
  else if (chance < 0.6) liveChat.renewToken();
  else if (chance < 0.8) liveChat.logOut();
  else scheduler.pick(tabs).repeatLiveChat();
};

const troubleHosts = (browser: Browser): void => {
  const { scheduler } = browser.environment;
  const hosts: SimulatedHost[] = [...browser.hosts.all].filter(({ isAlive }) => isAlive);
  if (hosts.length === 0) return;
  const host = scheduler.pick(hosts);
  if (scheduler.chance(0.5)) host.kill("killed");
  else if (!host.isFrozen) host.freezeFor(scheduler.upTo(5 * MINUTE));
};

const askHosts = (browser: Browser, tab: Tab): void => {
  const { scheduler } = browser.environment;
  const chance = scheduler.random();
  if (chance < 0.15) tab.lookAtWaiting();
  else if (chance < 0.2) tab.signal("online");
  else if (chance < 0.25) comeAndGo(tab);
  else if (chance < 0.4) tab.signal("offline");
  else if (chance < 0.55) tab.signal("visible");
  else if (chance < 0.8) tab.flush();
  else if (chance < 0.9) tab.ask("retries what was rejected", (tracker) => tracker.retryRejected());
  else {
    browser.discards += 1;
    tab.ask("discards what was rejected", (tracker) => tracker.discardRejected());
  }
};

/** A connection that wavers. */
const comeAndGo = (tab: Tab): void => {
  for (let n = 0; n < 12; n++) tab.after(n * 600, () => tab.signal(n % 4 === 3 ? "offline" : "online"));
};

const troubleDisk = (browser: Browser): void => {
  const { scheduler } = browser.environment;
  const { disk } = browser;
  const chance = scheduler.random();
  const ms = scheduler.upTo(scheduler.pick([3 * SECOND, 10 * SECOND, MINUTE]));
  const hosts = [...browser.hosts.all].filter(({ isAlive }) => isAlive);
  if (chance < 0.35) disk.fallSilent(ms);
  else if (chance < 0.6 && hosts.length > 0) disk.fallSilentFor(scheduler.pick(hosts), ms);
  else if (chance < 0.75) disk.fillUp(ms);
  else if (chance < 0.85) disk.refuse(ms);
  else browser.emptyDisk(scheduler.pick(["database", "site"]));
};

const troubleService = (browser: Browser): void => {
  const { scheduler, service, chronicle } = browser.environment;
  const chance = scheduler.random();
  if (chance < 0.15) {
    chronicle.fault("service", "an event is defined");
    defineAnother(service);
  } else if (chance < 0.3) {
    const isRevoked = service.apiKey !== API_KEY;
    chronicle.fault("service", isRevoked ? "key restored" : "key revoked");
    service.apiKey = isRevoked ? API_KEY : "another key";
  } else if (chance < 0.4) {
    chronicle.fault("service", "tokens revoked");
    service.revokeTokens();
  } else if (chance < 0.55) {
    service.largestBatch = scheduler.pick([1, 7, LIMITS.operationsPerBatch]);
    chronicle.fault("service", `batches limited to ${service.largestBatch}`);
  } else if (chance < 0.65) {
    browser.disk.stallFor(scheduler.upTo(30 * SECOND));
  } else if (chance < 0.75) {
    browser.disk.breakFor(scheduler.upTo(2 * MINUTE));
  } else if (chance < 0.85) {
    service.registrationMs = scheduler.pick([20 * SECOND, HOUR]);
    chronicle.fault("service", `registrations for ${service.registrationMs / SECOND} s`);
  } else {
    chronicle.fault(browser.name, "network: offline");
    browser.offlineUntil = scheduler.now + scheduler.upTo(HOUR);
  }
};

/** Another way to the service: through a proxy that does not take compressed bodies, or without it. */
const changeWay = (browser: Browser): void => {
  const { scheduler, chronicle } = browser.environment;
  browser.compressedAnswer = scheduler.chance(0.3) ? null : scheduler.pick(COMPRESSED_ANSWERS);
  const { status } = browser.compressedAnswer ?? {};
  chronicle.fault(
    browser.name,
    status ? `network: ${status} for compressed bodies` : "network: takes all bodies",
  );
};

/** Mostly of whom something waits; once in a while they can be registered again. */
const refuseProfile = (browser: Browser): void => {
  const { scheduler, service, chronicle } = browser.environment;
  const { lanes } = browser.disk.record;
  if (scheduler.chance(0.3) || lanes.length === 0) {
    service.registerAll();
    return chronicle.fault("service", "registers all profiles");
  }
  const { profile } = scheduler.pick(lanes);
  const status = scheduler.pick([400, 404] as const);
  chronicle.fault("service", `cannot register a profile (${status})`);
  service.refuseToRegister(profile, status, scheduler.chance(0.6));
};
