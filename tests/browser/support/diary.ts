/** What a day's tabs were told and where its events were seen, for whoever has to explain one that failed. */
import type { Page } from "playwright";
import type { Site } from "./site.js";

const MARK = "[diary]";

/** Notes every state that a tab's tracker tells from here on. */
export const followState = async (tab: Page, name: string, note: (line: string) => void): Promise<void> => {
  tab.on("console", (message) => {
    const text = message.text();
    if (text.startsWith(MARK)) note(`  ${name}:${text.slice(MARK.length)}`);
  });
  await tab.evaluate((mark) => {
    window.sdk.subscribe(({ host, storage, profile, session, outbox, delivery }) => {
      const who = `${profile?.kind} ${profile?.id.slice(0, 8)} in session ${session?.id.slice(0, 6)}`;
      const what = `${outbox.waiting} waiting, ${outbox.rejected} rejected, ${delivery.status}`;
      console.debug(`${mark} ${host} on ${storage}, ${who}, ${what} ${delivery.lastError?.code ?? ""}`);
    });
  }, MARK);
};

/** Of each number: in which requests it went, for which bearer, and what came of them. */
export const whereabouts = (site: Site, numbers: readonly number[]): string[] =>
  numbers.map((n) => {
    const seen = site.requests.flatMap(({ authorization, operations, status }, index) =>
      operations.some((one) => one.type === "event" && one.properties?.["n"] === n)
        ? [`request ${index} as ${authorization.slice(7, 13)}: ${status ?? "cut"}`]
        : [],
    );
    return `${n}: ${seen.join(", ") || "in no request"}`;
  });
