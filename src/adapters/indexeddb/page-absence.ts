/**
 * Keeps transactions from staying open while their page is away. A page in the back-forward cache is suspended with the
 * host inside it, and an open transaction then keeps the whole origin from the store for as long as the page is there
 * (WebKit), or throws the page out of the cache (Chromium).
 */
import { tryAbort, inTransaction } from "./idb-transaction.js";

const running = new Set<IDBTransaction>();
const cutShort = new WeakSet<IDBTransaction>();
let absence: Promise<void> | undefined;
let endAbsence = (): void => undefined;

/** What runs is cut short, and begun anew once the page is back. */
export const leave = (): void => {
  absence ??= new Promise((resolve) => {
    endAbsence = resolve;
  });
  for (const transaction of running) if (tryAbort(transaction)) cutShort.add(transaction);
};

export const comeBack = (): void => {
  absence = undefined;
  endAbsence();
};

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
      if (!cutShort.has(transaction)) throw error;
    } finally {
      running.delete(transaction);
    }
  }
};
