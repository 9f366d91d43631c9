/** Measures the heap of the tracker's shared worker through the debugging protocol. */
import type { BrowserContext, CDPSession } from "playwright";

let asked = 0;

const ask = async (
  session: CDPSession,
  sessionId: string,
  method: string,
): Promise<{ usedSize?: number } | undefined> => {
  const id = ++asked;
  const answered = new Promise<string>((resolve) => {
    session.on("Target.receivedMessageFromTarget", ({ message }) => {
      if ((JSON.parse(message) as { id?: number }).id === id) resolve(message);
    });
  });
  await session.send("Target.sendMessageToTarget", { sessionId, message: JSON.stringify({ id, method }) });
  const { result, error } = JSON.parse(await answered) as {
    result?: { usedSize?: number };
    error?: { message: string };
  };
  if (error) throw new Error(`${method}: ${error.message}`);
  return result;
};

/** Returns the heap in MB, after a garbage collection. */
export const workerHeap = async (browser: BrowserContext): Promise<number> => {
  const session = await (
    browser.browser() as NonNullable<ReturnType<BrowserContext["browser"]>>
  ).newBrowserCDPSession();
  const { targetInfos } = await session.send("Target.getTargets");
  const worker = targetInfos.find(({ type, url }) => type === "shared_worker" && url.includes("/sdk/"));
  if (!worker) throw new Error("the tracker runs in no shared worker");
  const { targetId } = worker;
  const { sessionId } = await session.send("Target.attachToTarget", { targetId, flatten: false });
  await ask(session, sessionId, "HeapProfiler.collectGarbage");
  const usage = await ask(session, sessionId, "Runtime.getHeapUsage");
  await session.detach();
  return (usage?.usedSize ?? NaN) / 2 ** 20;
};
