/** One seed's history: what happens in it, how it heals, and what must hold at its end. */
import { DAY, HOUR, LIMITS, MINUTE, SECOND } from "../../src/protocol/wire.js";
import { isOptedOut } from "../../src/core/tracker-record.js";
import { API_KEY } from "../support/people-service.js";
import { Browser } from "./browser.js";
import { pageView } from "./calls.js";
import { Environment } from "./environment.js";
import { checkOutcome } from "./outcome.js";
import type { Tab } from "./tab.js";
import { act } from "./users.js";

export interface SeedReport {
  seed: number;
  violation: string | null;
  counts: Record<string, number>;
  faults: Record<string, number>;
  /** Equal for equal histories. */
  digest: string;
  lastEvents: string[];
}

const LONGEST_FREEZE_MS = 30 * MINUTE;
/** Longer than any back-off, `Retry-After`, stop and lease, one after another. */
const DRAIN_LIMIT_MS = 90 * MINUTE;
/** What is due is sent within this in a world that is good, a registration and the loss of a lease included. */
const BURST_LIMIT_MS = 2 * MINUTE;
/** A stop, and the halving of a batch until one operation is refused alone. */
const TRIAL_MS = 20 * MINUTE;

export const simulate = async (seed: number, print?: (line: string) => void): Promise<SeedReport> => {
  const environment = new Environment(seed, print);
  const { scheduler, plan, chronicle, service } = environment;
  const browsers = Array.from({ length: plan.browsers }, (_, n) => new Browser(environment, `b${n + 1}`));
  const rejections: unknown[] = [];
  const noteRejection = (reason: unknown): void => {
    rejections.push(reason);
    chronicle.violated("host", `an unhandled rejection: ${String(reason)}`);
  };
  process.on("unhandledRejection", noteRejection);
  try {
    await live(environment, browsers);
    await heal(environment, browsers);
    if (!chronicle.violation) checkOutcome(environment, browsers);
  } finally {
    process.off("unhandledRejection", noteRejection);
  }
  const last = service.applied.at(-1)?.operation.id ?? "none";
  return {
    seed,
    violation: chronicle.violation,
    counts: { ...chronicle.counts, steps: scheduler.steps },
    faults: chronicle.faults,
    digest: `${scheduler.steps} ${scheduler.now} ${service.applied.length} ${last}`,
    lastEvents: chronicle.lastEvents,
  };
};

const live = async ({ scheduler, plan }: Environment, browsers: readonly Browser[]): Promise<void> => {
  const gaps = [0, 20, 500, 5 * SECOND, 5 * SECOND, MINUTE];
  const longGaps = [20 * MINUTE, 2 * HOUR, 2 * DAY];
  for (let step = 0; step < plan.steps && !scheduler.isStopped; step++) {
    act(scheduler.pick(browsers));
    const isLong = plan.longGaps && scheduler.chance(0.05);
    await scheduler.run(scheduler.upTo(scheduler.pick(isLong ? longGaps : gaps)));
  }
};

/** The world is good again. Hosts that live deliver by themselves; then a page comes, and takes in what is left. */
const heal = async (environment: Environment, browsers: readonly Browser[]): Promise<void> => {
  const { scheduler, plan, service, chronicle } = environment;
  Object.assign(plan, { networkFaults: 0, storeFaults: 0, hostFaults: 0, diskFaults: 0 });
  service.apiKey = API_KEY;
  service.largestBatch = LIMITS.operationsPerBatch;
  service.registrationMs = HOUR;
  service.registerAll();
  for (const browser of browsers) {
    browser.offlineUntil = 0;
    browser.compressedAnswer = null;
    browser.disk.heal();
    browser.sendsPrivacyControl = false;
  }
  chronicle.tell("world", "heals");
  await scheduler.run(DAY, () => browsers.every(({ isAsleep }) => !isAsleep));
  // What is frozen thaws, and does what it was told, an opt-out perhaps.
  await scheduler.run(LONGEST_FREEZE_MS);
  for (const { hosts } of browsers) for (const host of hosts.all) host.store.checkWaits();
  const watched = browsers.filter((browser) => !isOptedOut(browser.disk.record) && hasHost(browser));
  await drained(environment, watched, "without anybody's doing", DRAIN_LIMIT_MS);
  const tabs: Tab[] = [];
  for (const browser of browsers) tabs.push(await visit(browser));
  await drained(environment, browsers, "after a visit", DRAIN_LIMIT_MS);
  for (const tab of tabs) tab.call([pageView(plan), pageView(plan)]);
  await scheduler.run(plan.storeDelayMs + plan.networkDelayMs);
  await drained(environment, browsers, "long after they were due", plan.deliveryDelayMs + BURST_LIMIT_MS);
  // The open sessions end by themselves, by the hosts that live.
  await scheduler.run(plan.sessionTimeoutMs + HOUR);
  await drained(environment, browsers, "after the last session's end", DRAIN_LIMIT_MS);
  await scheduler.run(MINUTE);
  for (const { hosts, name } of browsers) {
    for (const host of hosts.all) {
      const isOnDisk = !host.isAlive || host.isFrozen || host.store.kind === "disk";
      chronicle.expect(isOnDisk, name, () => `${host.name} stays in memory, and the disk is well`);
    }
  }
};

const hasHost = (browser: Browser): boolean => [...browser.tabs].some((tab) => tab.isTracking && tab.hasHost);

const visit = async (browser: Browser): Promise<Tab> => {
  const { scheduler } = browser.environment;
  const tab = browser.open();
  await scheduler.run(5 * MINUTE, () => tab.isTracking);
  if (isOptedOut(browser.disk.record)) {
    tab.choose("in");
    await scheduler.run(MINUTE);
  }
  await scheduler.run(MINUTE, () => browser.journals.count === 0);
  return tab;
};

const drained = async (
  { scheduler, chronicle }: Environment,
  browsers: readonly Browser[],
  when: string,
  limitMs: number,
): Promise<void> => {
  const isDrained = (): boolean => browsers.every(({ checks }) => checks.outbox.waiting === 0);
  // Where rejected operations are to be sent again in a row, each after the tenth that is refused alone is a stop's trial.
  const trials = browsers.reduce((sum, { checks }) => sum + checks.outbox.hopeless, 0);
  if (await scheduler.run(limitMs + trials * TRIAL_MS, isDrained)) return;
  for (const { name, checks } of browsers) {
    const { outbox } = checks;
    chronicle.expect(outbox.waiting === 0, name, () => `${outbox.waiting} operations still wait ${when}`);
  }
};
