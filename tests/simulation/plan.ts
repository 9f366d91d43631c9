/** What a seed puts into play: not every fault in every history, so that each also meets calm around it. */
import type { Scheduler } from "./scheduler.js";
import { MINUTE, SECOND } from "../../src/protocol/wire.js";

export interface Plan {
  browsers: number;
  steps: number;
  /** Which hosts have a Web Lock beside the lease; with the others the lease alone keeps the order. */
  locks: "all" | "some" | "none";
  /** One host for all tabs, or one each. */
  hosts: "shared" | "dedicated";
  /** As WebKit: each batch is journaled, for the page may end without a word. */
  journalsEachBatch: boolean;
  sessionTimeoutMs: number;
  maxWaiting: number;
  /** How long events wait for others. */
  deliveryDelayMs: number;
  /** How many calls one task makes at most. */
  burst: number;
  networkFaults: number;
  storeFaults: number;
  /** Hosts fail over to memory, as in browsers; elsewhere they have the disk alone. */
  failover: boolean;
  /** The disk falls silent, is full, refuses, is emptied. */
  diskFaults: number;
  /** Each turn of the store takes up to this long. */
  storeDelayMs: number;
  networkDelayMs: number;
  /** Chances, a step, of what users and machines do. */
  tabs: number;
  liveChat: number;
  hostFaults: number;
  clocks: number;
  sleeps: number;
  consent: number;
  erasing: number;
  /** Global Privacy Control is switched on or off. */
  privacyControl: number;
  /** A new version of the site's worker is there; who is open keeps the old one. */
  deploys: number;
  serviceFaults: number;
  /** The service can register somebody no more, or everybody again. */
  refusedProfiles: number;
  /** The way to the service takes no compressed bodies, or takes them again. */
  ways: number;
  /** Of all calls. */
  badCalls: number;
  longGaps: boolean;
}

const failoverOf = (scheduler: Scheduler): Pick<Plan, "failover" | "diskFaults"> => {
  const failover = scheduler.chance(0.4);
  return { failover, diskFaults: failover ? scheduler.pick([0.02, 0.06, 0.15]) : 0 };
};

export const planOf = (scheduler: Scheduler): Plan => {
  const sometimes = (probability: number, share = 0.5) => (scheduler.chance(share) ? probability : 0);
  return {
    browsers: scheduler.pick([1, 1, 2]),
    steps: 60 + scheduler.upTo(120),
    locks: scheduler.pick(["all", "some", "none"]),
    hosts: scheduler.chance(0.5) ? "shared" : "dedicated",
    journalsEachBatch: scheduler.chance(0.3),
    sessionTimeoutMs: scheduler.pick([30 * MINUTE, 30 * MINUTE, 5 * MINUTE]),
    maxWaiting: scheduler.pick([100_000, 100_000, 100_000, 60]),
    deliveryDelayMs: scheduler.pick([0, SECOND, SECOND, 10 * SECOND]),
    burst: scheduler.pick([3, 10, 40]),
    networkFaults: scheduler.pick([0, 0.05, 0.2, 0.5]),
    storeFaults: sometimes(0.02, 0.3),
    ...failoverOf(scheduler),
    storeDelayMs: scheduler.pick([2, 20, 500]),
    networkDelayMs: scheduler.pick([20, 500, 8_000]),
    tabs: scheduler.pick([0.05, 0.15, 0.3]),
    liveChat: scheduler.pick([0, 0.05, 0.15, 0.3]),
    hostFaults: sometimes(0.1),
    clocks: sometimes(0.03, 0.3),
    sleeps: sometimes(0.03),
    consent: sometimes(0.02, 0.4),
    erasing: sometimes(0.02, 0.4),
    privacyControl: sometimes(0.03, 0.2),
    deploys: sometimes(0.03, 0.3),
    serviceFaults: sometimes(0.06),
    refusedProfiles: sometimes(0.05, 0.3),
    ways: sometimes(0.03, 0.3),
    badCalls: sometimes(0.03),
    longGaps: scheduler.chance(0.3),
  };
};
