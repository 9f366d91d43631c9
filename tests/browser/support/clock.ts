/** Sets the wall clock under a site's pages and workers. Timers run on, as they do when somebody sets a clock. */
import type { Page } from "playwright";

const setting = (offsetMs: number): string => `{
  globalThis.realNow ??= Date.now;
  Date.now = () => realNow() + ${offsetMs};
}`;

/** In this page, its workers and the site's shared workers. */
export const setClock = async (page: Page, offsetMs: number): Promise<void> => {
  await page.evaluate(setting(offsetMs));
  for (const worker of page.workers()) await worker.evaluate(setting(offsetMs));
  const session = await page.context().newCDPSession(page);
  const { targetInfos } = await session.send("Target.getTargets");
  for (const { targetId, type } of targetInfos) {
    if (type !== "shared_worker") continue;
    const { sessionId } = await session.send("Target.attachToTarget", { targetId, flatten: false });
    const answered = new Promise((resolve) => session.once("Target.receivedMessageFromTarget", resolve));
    const message = { id: 1, method: "Runtime.evaluate", params: { expression: setting(offsetMs) } };
    await session.send("Target.sendMessageToTarget", { sessionId, message: JSON.stringify(message) });
    await answered;
  }
  await session.detach();
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
