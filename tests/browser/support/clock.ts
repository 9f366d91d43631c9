/** Sets the wall clock under a site's pages and workers. Timers run on, as they do when somebody sets a clock. */
import type { Page } from "playwright";

const setting = (offsetMs: number): string => `{
  globalThis.realNow ??= Date.now;
  Date.now = () => realNow() + ${offsetMs};
}`;

interface WorkerAnswer {
  id?: number;
  result?: { result: { value?: unknown } };
}

/** Runs an expression in the site's shared workers. */
const inSharedWorkers = async (page: Page, expression: string): Promise<unknown[]> => {
  const session = await page.context().newCDPSession(page);
  const { targetInfos } = await session.send("Target.getTargets");
  const values: unknown[] = [];
  for (const { targetId, type } of targetInfos) {
    if (type !== "shared_worker") continue;
    const { sessionId } = await session.send("Target.attachToTarget", { targetId, flatten: false });
    const answered = new Promise<WorkerAnswer>((resolve) =>
      session.on("Target.receivedMessageFromTarget", ({ message }) => {
        const answer = JSON.parse(message) as WorkerAnswer;
        if (answer.id === 1) resolve(answer); // others tell of what happens in there
      }),
    );
    const message = { id: 1, method: "Runtime.evaluate", params: { expression } };
    await session.send("Target.sendMessageToTarget", { sessionId, message: JSON.stringify(message) });
    values.push((await answered).result?.result.value);
  }
  await session.detach();
  return values;
};

/** In this page, its workers and the site's shared workers. */
export const setClock = async (page: Page, offsetMs: number): Promise<void> => {
  await page.evaluate(setting(offsetMs));
  for (const worker of page.workers()) await worker.evaluate(setting(offsetMs));
  await inSharedWorkers(page, setting(offsetMs));
};

const ZONE = "Intl.DateTimeFormat().resolvedOptions().timeZone";

/** As a person who travels: the zone of a tab and its workers, changed while they run. */
export const travel = async (page: Page) => {
  const session = await page.context().newCDPSession(page);
  return {
    async to(timezoneId: string): Promise<void> {
      await session.send("Emulation.setTimezoneOverride", { timezoneId });
    },
    /** The zones that the page, its workers and the shared workers see. */
    zones: async (): Promise<unknown[]> => [
      await page.evaluate(ZONE),
      ...(await Promise.all(page.workers().map((worker) => worker.evaluate(ZONE)))),
      ...(await inSharedWorkers(page, ZONE)),
    ],
  };
};

export const freeze = async (page: Page) => {
  const session = await page.context().newCDPSession(page);
  await session.send("Page.setWebLifecycleState", { state: "frozen" });
  return {
    async resume(): Promise<void> {
      await session.send("Page.setWebLifecycleState", { state: "active" });
    },
  };
};
