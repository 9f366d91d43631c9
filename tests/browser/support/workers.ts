import type { Page } from "playwright";

/** Kills the shared workers whose name says this, all by default, as the system does for want of memory. */
export const killSharedWorkers = async (page: Page, inName = ""): Promise<number> => {
  const session = await page.context().newCDPSession(page);
  const { targetInfos } = await session.send("Target.getTargets");
  const workers = targetInfos.filter(({ type, title }) => type === "shared_worker" && title.includes(inName));
  // One that is gone already cannot be closed.
  const closed = await Promise.allSettled(
    workers.map(({ targetId }) => session.send("Target.closeTarget", { targetId })),
  );
  await session.detach();
  return closed.filter(({ status }) => status === "fulfilled").length;
};
