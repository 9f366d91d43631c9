import { expect } from "vitest";
import type { Page } from "playwright";

/** Until the service worker runs that the page asks for. */
export const withServiceWorker = async (page: Page): Promise<Page> => {
  const states = () =>
    page.evaluate(async () =>
      (await navigator.serviceWorker.getRegistrations()).map(({ active }) => active?.state),
    );
  await expect.poll(states, { timeout: 30_000 }).toEqual(["activated"]);
  return page;
};
