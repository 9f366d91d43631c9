/** What became of the events that were tracked, as the service's database holds them. */
import type { Page } from "playwright";
import type { TimelineEntry } from "../../../server/src/index.js";
import type { Site } from "./site.js";
import { profileIs, settle } from "./visit.js";

/** Merges the visitor into a lead, settles, and answers what the service shows of it. */
export const timelineArrived = async (site: Site, page: Page): Promise<TimelineEntry[]> => {
  const lead = await page.evaluate(() => window.widget.startChat());
  await profileIs(page, "lead");
  await settle(page);
  return site.timeline(lead);
};

/** The same, but the numbers alone, in the service's order. */
export const numbersArrived = async (site: Site, page: Page): Promise<unknown[]> =>
  numbersOf(await timelineArrived(site, page));

export const numbersOf = (timeline: readonly TimelineEntry[]): number[] =>
  timeline.map(numberOf).filter((n) => n !== undefined);

const numberOf = ({ definitionId, properties }: TimelineEntry): number | undefined =>
  definitionId === "numbered" ? Number(properties?.["n"]) : undefined;

/** A cursor's second number counts what the service accepted. */
const acceptance = ({ cursor }: TimelineEntry): number => Number(cursor.split("-")[1]);

/** Numbers that came to grief. */
export interface Losses {
  lost: number[];
  doubled: number[];
  /** Accepted by the service after a greater one of the same profile. */
  outOfOrder: number[];
}

/**
 * @param stored what was told to be stored
 * @param callerOf who called with a number, where several call at once, each with ascending ones
 */
export const lossesOf = (
  site: Site,
  timelines: readonly TimelineEntry[][],
  stored: ReadonlySet<number>,
  callerOf: (n: number) => number = () => 0,
): Losses => {
  const entries = timelines
    .flat()
    .filter((entry) => numberOf(entry) !== undefined)
    .toSorted((a, b) => acceptance(a) - acceptance(b));
  const numbers = entries.map((entry) => numberOf(entry) as number);
  const arrived = new Set(numbers);
  const bearers = new Map<string, string>();
  for (const { authorization, operations } of site.requests) {
    for (const { id } of operations) if (!bearers.has(id)) bearers.set(id, authorization);
  }
  // In each registration's name, for order is kept per profile, and a person's visitors are profiles of their own.
  const last = new Map<string, number>();
  const outOfOrder = entries.flatMap((entry) => {
    const n = numberOf(entry) as number;
    if (!stored.has(n)) return [];
    const lane = `${callerOf(n)} ${bearers.get(entry.id ?? "")}`;
    const isLate = n < (last.get(lane) ?? -1);
    if (!isLate) last.set(lane, n);
    return isLate ? [n] : [];
  });
  const seen = new Set<number>();
  return {
    lost: [...stored].filter((n) => !arrived.has(n)),
    doubled: numbers.filter((n) => seen.size === seen.add(n).size),
    outOfOrder,
  };
};

/** The numbers in all requests that the service has answered, without a page. */
export const numbersAccepted = (site: Site): unknown[] =>
  site.requests
    .filter(({ status }) => status === 200)
    .flatMap(({ operations }) => operations)
    .flatMap((operation) =>
      operation.type === "event" && operation.definitionId === "numbered"
        ? [operation.properties?.["n"]]
        : [],
    );

export const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n);
