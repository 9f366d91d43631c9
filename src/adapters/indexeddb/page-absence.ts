/**
 * Aborts the transactions of a page that goes, and begins them again when the page comes back. A page in the back-forward
 * cache is suspended together with the host inside it. An open transaction would then block the store for the whole origin
 * (WebKit), or evict the page from the cache (Chromium).
 */
import { tryAbort, inTransaction } from "./idb-transaction.js";

const running = new Set<IDBTransaction>();
const aborted = new WeakSet<IDBTransaction>();
let absence: Promise<void> | undefined;
let endAbsence = (): void => undefined;

/** Aborts the running transactions. `whilePresent` begins them again once the page is back. */
export const leave = (): void => {
  absence ??= new Promise((resolve) => {
    endAbsence = resolve;
  });
  for (const transaction of running) if (tryAbort(transaction)) aborted.add(transaction);
};

export const comeBack = (): void => {
  absence = undefined;
  endAbsence();
};

/** Runs work in a transaction while the page is present, and runs it again if the page's absence aborted it. */
export const whilePresent = async <Result>(
  begin: () => IDBTransaction,
  work: (transaction: IDBTransaction) => Promise<Result>,
): Promise<Result> => {
  for (;;) {
    if (absence) await absence;
    const transaction = begin();
    running.add(transaction);
    try {
      return await inTransaction(transaction, work);
    } catch (error) {
      if (!aborted.has(transaction)) throw error;
    } finally {
      running.delete(transaction);
    }
  }
};
