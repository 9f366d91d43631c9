/** Counts over all tests of a file, told in one line. */
import { afterAll } from "vitest";
import type { Losses } from "./arrivals.js";
import type { Site } from "./site.js";

export interface Tally {
  /** @param delivered how many events were told to be stored, of which these came to grief */
  add(site: Site, delivered: number, losses: Losses): void;
  /** A fault, or an act of violence, that the site does not count. */
  count(name: string, times?: number): void;
}

export const useTally = (title: string): Tally => {
  const counts = new Map<string, number>();
  const sums = { stored: 0, lost: 0, doubled: 0, outOfOrder: 0 };
  const count = (name: string, times = 1): void => void counts.set(name, (counts.get(name) ?? 0) + times);
  afterAll(() => {
    const told = [...counts].map(([name, times]) => `${name} ${times}`).join(", ");
    const { stored, lost, doubled, outOfOrder } = sums;
    console.log(
      `${title}: ${stored} events stored, lost ${lost}, doubled ${doubled}, out of order ${outOfOrder}; ${told}`,
    );
  });
  return {
    add(site, stored, { lost, doubled, outOfOrder }) {
      for (const [name, times] of site.faults) count(name, times);
      sums.stored += stored;
      sums.lost += lost.length;
      sums.doubled += doubled.length;
      sums.outOfOrder += outOfOrder.length;
    },
    count,
  };
};
