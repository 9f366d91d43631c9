/** What a browser, its user and other pages do to a site's storage. */
import type { BrowserContext, Page } from "playwright";
import type { Site } from "./site.js";

/**
 * So many bytes for the site, to be set before it stores anything: Chromium goes on for some seconds with the room that it
 * found last. The debugging session must live on.
 */
export const limitQuota = async (page: Page, site: Site, quotaSize: number) => {
  const session = await page.context().newCDPSession(page);
  await session.send("Storage.overrideQuotaForOrigin", { origin: site.origin, quotaSize });
  return {
    async lift(): Promise<void> {
      await session.send("Storage.overrideQuotaForOrigin", { origin: site.origin });
    },
  };
};

/** Stores so many bytes of the site's own, which the tracker has nothing to do with. */
export const fillStorage = (page: Page, bytes: number): Promise<void> =>
  page.evaluate(async (size) => {
    const cache = await caches.open("filler");
    await cache.put("/filler", new Response(new Uint8Array(size)));
  }, bytes);

export const clearSiteData = async (page: Page, site: Site): Promise<void> => {
  const session = await page.context().newCDPSession(page);
  await session.send("Storage.clearDataForOrigin", { origin: site.origin, storageTypes: "all" });
};

/** As from the DevTools, or by another page of the site. */
export const deleteDatabases = (page: Page): Promise<void> =>
  page.evaluate(async () => {
    for (const { name } of await indexedDB.databases()) {
      await new Promise<void>((resolve, reject) => {
        const deleting = indexedDB.deleteDatabase(name as string);
        deleting.addEventListener("success", () => resolve());
        deleting.addEventListener("error", () => reject(new Error("not deleted")));
      });
    }
  });

/** Another page whose transaction does not end, as that of a worker that is frozen. */
export const holdDatabase = async (browser: BrowserContext, site: Site) => {
  const page = await browser.newPage();
  await page.goto(site.origin);
  await page.evaluate(async () => {
    const { name } = (await indexedDB.databases())[0] as { name: string };
    const db = await new Promise<IDBDatabase>((resolve) => {
      const opening = indexedDB.open(name);
      opening.onsuccess = () => resolve(opening.result);
    });
    const store = db.transaction([...db.objectStoreNames], "readwrite").objectStore("tracker");
    await new Promise<void>((resolve) => {
      // Asked again and again, for a transaction that is asked nothing ends.
      const ask = (): void => {
        store.get("tracker").onsuccess = () => {
          resolve();
          ask();
        };
      };
      ask();
    });
  });
  return { letGo: () => page.close() };
};

/** How many operations lie in the outbox, counted beside the tracker. */
export const rowsOnDisk = (page: Page): Promise<number> =>
  page.evaluate(async () => {
    const { name } = (await indexedDB.databases())[0] as { name: string };
    const db = await new Promise<IDBDatabase>((resolve) => {
      const opening = indexedDB.open(name);
      opening.onsuccess = () => resolve(opening.result);
    });
    const count = db.transaction("outbox").objectStore("outbox").count();
    await new Promise((resolve) => (count.onsuccess = resolve));
    db.close();
    return count.result;
  });
