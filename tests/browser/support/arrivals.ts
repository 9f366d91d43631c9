import type { Page } from "playwright";
import type { Site } from "./site.js";
import { profileIs, settle } from "./visit.js";

/** Merges the visitor into a lead, settles, and answers the numbers that the service shows, in its order. */
export const numbersArrived = async (site: Site, page: Page): Promise<unknown[]> => {
  const lead = await page.evaluate(() => window.widget.startChat());
  await profileIs(page, "lead");
  await settle(page);
  const timeline = await site.timeline(lead);
  return timeline
    .filter(({ definitionId }) => definitionId === "numbered")
    .map(({ properties }) => properties?.["n"]);
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
