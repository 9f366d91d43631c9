/** Random schedules of hosts that race on one store, and die: what was accepted is applied once, in order, and all of it. */
import { assert, asyncProperty, constantFrom, boolean, integer, record } from "fast-check";
import { describe, expect, test } from "vitest";
import { HOUR, MINUTE, SECOND } from "../../../src/protocol/wire.js";
import type { OutboxRow } from "../../../src/protocol/api.js";
import { profileKey } from "../../../src/core/delivery/registrar.js";
import type { Fault } from "../../support/service-requests.js";
import { PORTAL, UNREACHABLE, answering } from "../../support/service-requests.js";
import { integerBelow, pick } from "../../support/random.js";
import type { TestHost } from "../../support/world.js";
import { World } from "../../support/world.js";

const FAULTS: readonly Fault[] = [
  UNREACHABLE,
  PORTAL,
  { kind: "lost" },
  { kind: "silent" },
  { kind: "half", named: 1 },
  { kind: "slow", delayMs: 20 * SECOND },
  answering(503),
  answering(429, 429, 20 * SECOND),
  answering(401),
  answering(403),
  answering(403, 4031),
  answering(413),
];

interface Plan {
  seed: number;
  hosts: number;
  locks: boolean;
  faultsPercent: number;
  /** How hosts end on the way: by closing, by dying, by freezing. */
  deaths: boolean;
}

const runRace = async ({ seed, hosts, locks, faultsPercent, deaths }: Plan): Promise<World> => {
  const world = new World({ seed, locks, storeDelayMs: 5, networkDelayMs: 50 });
  const { random, service, time } = world;
  const living: TestHost[] = [];
  const join = async () => {
    const host = await world.host();
    living.push(host);
    void host.beginInit();
  };
  for (let n = 0; n < hosts; n++) await join();
  service.fault = () => (random() * 100 < faultsPercent ? pick(random, FAULTS) : undefined);
  let chats = 0;
  let chat: string | null = null;
  for (let step = 0; step < 30; step++) {
    const host = pick(random, living);
    const chance = random();
    if (chance < 0.6) void host.submitEvents(1 + integerBelow(random, 30));
    else if (chance < 0.68) {
      chat = `chat-${++chats}`;
      void host.liveChat({ id: chat, kind: "lead", personId: `person-${chats}`, token: `token-of-${chat}` });
    } else if (chance < 0.72 && chat) {
      void host.liveChat(null, chat);
      chat = null;
    } else if (chance < 0.8) void host.tracker.signal("online");
    else if (chance < 0.9) void host.tracker.flush(5 * SECOND);
    else if (deaths) {
      living.splice(living.indexOf(host), 1);
      const end = integerBelow(random, 3);
      if (end === 0) host.tracker.close();
      else if (end === 1) host.die();
      else host.freeze();
      if (living.length === 0 || random() < 0.7) await join();
    }
    await time.advance(integerBelow(random, pick(random, [20, 500, 30 * SECOND])));
  }
  service.fault = () => undefined;
  if (living.length === 0) await join();
  await world.drained(2 * HOUR);
  await time.advance(2 * MINUTE);
  return world;
};

const byProfile = (rows: readonly OutboxRow[]): Map<string, string[]> => {
  const ids = new Map<string, string[]>();
  for (const { profile, id } of rows) {
    ids.set(profileKey(profile), [...(ids.get(profileKey(profile)) ?? []), id]);
  }
  return ids;
};

const checkRace = async (world: World): Promise<void> => {
  const { service } = world;
  const rejected = await world.rejected();
  const applied = service.appliedIds();
  expect(new Set(applied).size).toBe(applied.length);
  // Nothing dropped, nothing invented: what was accepted is applied, or rejected where it can be seen. Both, where an
  // answer was lost and the service refused on the second time what it had applied on the first.
  const isRejected = new Set(rejected.map(({ id }) => id));
  expect(isRejected.size).toBe(rejected.length);
  expect(new Set([...applied, ...isRejected])).toEqual(new Set(world.accepted.keys()));
  const accepted = [...world.accepted.values()].filter(({ id }) => !isRejected.has(id));
  for (const [key, ids] of byProfile(accepted)) {
    const [kind, id] = key.split(" ") as ["visitor" | "lead", string];
    expect(service.appliedIds({ kind, id }).filter((one) => !isRejected.has(one))).toEqual(ids);
  }
  const { lanes } = await world.record();
  expect(lanes.reduce((sum, queue) => sum + queue.waiting, 0)).toBe(0);
  expect(lanes.reduce((sum, queue) => sum + queue.rejected, 0)).toBe(rejected.length);
  expect(await world.waiting()).toEqual([]);
};

const plans = record({
  seed: integer({ min: 1, max: 2 ** 31 }),
  hosts: integer({ min: 1, max: 3 }),
  locks: boolean(),
  faultsPercent: constantFrom(0, 20, 60),
  deaths: boolean(),
});

describe("hosts that race on one store", () => {
  test("any hosts on one store deliver what was accepted once, in order and all of it", async () => {
    const races = asyncProperty(plans, async (plan) => checkRace(await runRace(plan)));
    await expect(assert(races, { numRuns: 60, seed: 20260105, endOnFailure: true })).resolves.toBeUndefined();
  }, 60_000);

  test("the same seed runs the same history", async () => {
    const plan: Plan = { seed: 7, hosts: 3, locks: false, faultsPercent: 40, deaths: true };
    const [first, second] = [await runRace(plan), await runRace(plan)];
    expect(second.service.requests).toEqual(first.service.requests);
    expect(second.time.now).toBe(first.time.now);
  });
});
