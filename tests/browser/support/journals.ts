import type { Page } from "playwright";

/** The journals that lie in the page's localStorage. */
export const journalsOf = (page: Page): Promise<Record<string, string>> =>
  page.evaluate(() =>
    Object.fromEntries(Object.entries(localStorage).filter(([key]) => key.includes(":journal:"))),
  );

export const noJournalsLeft = async (page: Page): Promise<void> => {
  await page.waitForFunction(() => !Object.keys(localStorage).some((key) => key.includes(":journal:")));
};

/** From here on nothing that the page posts reaches its host, which would otherwise be fast enough now and then. */
export const silenceHost = (page: Page): Promise<void> =>
  page.evaluate(() => {
    Worker.prototype.postMessage = () => {};
    MessagePort.prototype.postMessage = () => {};
  });

export interface JournaledEvent {
  pageId: string;
  from: number;
  count: number;
  v?: number;
  at?: number;
  generation?: number;
}

/** Leaves a journal behind as a page of this namespace would. Written here, for pages may have their own idea of JSON. */
export const leaveJournal = async (page: Page, namespace: string, journal: JournaledEvent): Promise<void> => {
  const { pageId, from, count, v = 3, at = Date.now(), generation = 0 } = journal;
  const commands = Array.from({ length: count }, (_, index) => ({
    type: "track",
    n: index + 1,
    at: Date.now(),
    eventId: "numbered",
    properties: { n: from + index },
  }));
  const batches = [{ generation, sessionTimeoutMs: 1_800_000, maxWaiting: 100_000, commands }];
  await page.evaluate(([key, text]) => localStorage.setItem(key, text), [
    `people-tracking:${namespace}:journal:${pageId}`,
    JSON.stringify({ v, pageId, at, batches }),
  ] as const);
};
