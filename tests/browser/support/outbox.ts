/** What the outbox of a browser holds. */
import type { Page } from "playwright";
import type { OutboxRow } from "../../../src/main/index.js";

export const outboxOf = async (page: Page): Promise<OutboxRow[]> => {
  const outcome = await page.evaluate(() => window.sdk.inspect({ limit: 1000 }));
  if (!outcome.success) throw new Error(outcome.error.message);
  return outcome.data;
};

/** Of custom events and page views, as the service would get them. */
export const operationsOf = async (page: Page): Promise<Record<string, unknown>[]> =>
  (await outboxOf(page))
    .map(({ operation }) => operation as Record<string, unknown>)
    .filter(({ definitionId }) => definitionId === "action" || definitionId === "pageView");
