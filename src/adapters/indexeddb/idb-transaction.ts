/** IndexedDB's events as promises. A transaction lives on while what it was asked is awaited, and nothing else is. */

/**
 * The engine's own, as async functions return it. In a page's realm the global one may be a library's, which may call
 * back a task later, when the transaction has ended.
 */
const EnginePromise = (async () => {})().constructor as PromiseConstructor;

export const allAsked: PromiseConstructor["all"] = EnginePromise.all.bind(EnginePromise);

export const asked = <Answer>(request: IDBRequest<Answer>): Promise<Answer> =>
  new EnginePromise((resolve, reject) => {
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error as DOMException));
  });

/** Resolves with the work's result once all that it wrote is committed. */
export const inTransaction = <Result>(
  transaction: IDBTransaction,
  work: (transaction: IDBTransaction) => Promise<Result>,
): Promise<Result> =>
  new Promise((resolve, reject) => {
    let refusal: { error: unknown } | undefined;
    transaction.addEventListener("abort", () =>
      reject(refusal ? refusal.error : (transaction.error ?? new Error("the browser ended the transaction"))),
    );
    const run = async (): Promise<void> => {
      try {
        const result = await work(transaction);
        if (transaction.mode === "readonly") resolve(result);
        else transaction.addEventListener("complete", () => resolve(result));
        // At once: not when each write has been answered, nor while what comes next waits for a read to be over. Missing
        // before Safari 15.
        transaction.commit?.();
      } catch (error) {
        refusal = { error };
        if (!tryAbort(transaction)) reject(error);
      }
    };
    void run();
  });

/** Aborts a transaction. Returns false where it has ended already. */
export const tryAbort = (transaction: IDBTransaction): boolean => {
  try {
    transaction.abort();
    return true;
  } catch {
    return false;
  }
};
