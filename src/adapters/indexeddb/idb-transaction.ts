/** IndexedDB's events as promises. A transaction stays open while only its own requests are awaited. */

/**
 * The engine's own promise, as async functions return it. In a page, the global one may be a library's. That may call back a
 * task later, when the transaction has already ended.
 */
const EnginePromise = (async () => {})().constructor as PromiseConstructor;

export const allAsked: PromiseConstructor["all"] = EnginePromise.all.bind(EnginePromise);

export const asked = <Answer>(request: IDBRequest<Answer>): Promise<Answer> =>
  new EnginePromise((resolve, reject) => {
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error as DOMException));
  });

/** Runs work in a transaction, and resolves with its result once its writes are committed. */
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
        // Commit now, without waiting until each write has succeeded, so that the next transaction can begin. Missing before
        // Safari 15.
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
