import { describe, expect, test } from "vitest";
import type { Page } from "playwright";
import { useSetting } from "./support/setting.js";
import { init, openTab, profileIs, settle, stateOf, track, trackNumbers, visit } from "./support/visit.js";

const setting = useSetting();

/** Merges the visitor into a lead, settles, and answers the numbers that the service shows, in its order. */
const numbersOnService = async (page: Page): Promise<unknown[]> => {
  const lead = await page.evaluate(() => window.widget.startChat());
  await profileIs(page, "lead");
  await settle(page);
  const timeline = await setting.site.timeline(lead);
  return timeline
    .filter(({ definitionId }) => definitionId === "numbered")
    .map(({ properties }) => properties?.["n"]);
};
const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);

describe("delivery after the tab or the browser was closed", () => {
  test("200 operations made while the service is down arrive once and in order after the tab was closed", async () => {
    const { browser, site } = setting;
    const tab = await visit(browser, site);
    await settle(tab);
    site.setReachable(false);
    expect(await trackNumbers(tab, 0, 200)).toBe(200);
    await tab.close();
    site.setReachable(true);
    const next = await visit(browser, site);
    expect(await numbersOnService(next)).toEqual(upTo(200));
  });

  test("what was stored survives the browser, and the next one delivers it", async () => {
    const { person, browser, site } = setting;
    const tab = await visit(browser, site);
    site.setReachable(false);
    expect(await trackNumbers(tab, 0, 50)).toBe(50);
    await browser.close();
    site.setReachable(true);
    const next = await visit(await person.browse(), site);
    expect(await numbersOnService(next)).toEqual(upTo(50));
  });

  test("init answers quickly without the service, and everything arrives when it comes back", async () => {
    const { browser, site } = setting;
    site.setReachable(false);
    const tab = await visit(browser, site);
    expect((await stateOf(tab))?.profile?.kind).toBe("visitor");
    expect(await trackNumbers(tab, 0, 5)).toBe(5);
    const flush = await tab.evaluate(() => window.sdk.flush({ timeoutMs: 300 }));
    expect(flush).toEqual({ success: true, data: { waiting: 7 } }); // start, page view, five events
    site.setReachable(true);
    expect(await numbersOnService(tab)).toEqual(upTo(5));
  });

  test("a session that ran out while everything was closed is ended with the time that was due", async () => {
    const { person, browser, site } = setting;
    const tab = await visit(browser, site);
    const lead = await tab.evaluate(() => window.widget.startChat());
    await profileIs(tab, "lead");
    await settle(tab);
    await browser.close();

    // Two hours pass: what the store remembers of the session moves back by as much.
    const later = await person.browse();
    const page = await openTab(later, site);
    const expiresAt = await page.evaluate(async () => {
      const { name } = (await indexedDB.databases())[0] as { name: string };
      const db = await new Promise<IDBDatabase>((resolve) => {
        const opening = indexedDB.open(name);
        opening.onsuccess = () => resolve(opening.result);
      });
      const store = db.transaction("tracker", "readwrite").objectStore("tracker");
      const record = await new Promise<{
        session: Record<string, string>;
        selections: { selectedAt: string }[];
      }>((resolve) => {
        const reading = store.get("tracker");
        reading.onsuccess = () => resolve(reading.result);
      });
      const back = (time: string) => new Date(Date.parse(time) - 2 * 60 * 60 * 1000).toISOString();
      for (const field of ["startedAt", "lastActivityAt", "expiresAt"]) {
        record.session[field] = back(record.session[field] as string);
      }
      for (const selection of record.selections) selection.selectedAt = back(selection.selectedAt);
      await new Promise((resolve) => (store.put(record, "tracker").onsuccess = resolve));
      db.close();
      return record.session["expiresAt"];
    });
    await init(page, site.trackingKey);
    await settle(page);
    const timeline = await site.timeline(lead);
    const ends = timeline.filter(({ definitionId }) => definitionId === "sessionEnded");
    expect(ends.map(({ occurredAt, closedBy }) => [occurredAt, closedBy])).toEqual([[expiresAt, undefined]]);
    expect(timeline.filter(({ definitionId }) => definitionId === "sessionStarted")).toHaveLength(2);
  });
});

describe("delivery by the service's responses", () => {
  test("an operation that the service cannot read is rejected with its reason and blocks nothing", async () => {
    const { browser, site } = setting;
    const tab = await visit(browser, site);
    await settle(tab);
    site.intercept(({ operations }) =>
      operations.some((operation) => operation.type === "event" && operation.properties?.["n"] === 37)
        ? {
            status: 400,
            body: JSON.stringify({
              error: {
                code: 4000,
                name: "BadRequest",
                message: "poison",
                origin: "people-service",
                platform: "test",
              },
            }),
          }
        : undefined,
    );
    expect(await trackNumbers(tab, 0, 100)).toBe(100);
    await settle(tab);
    const rejected = await tab.evaluate(() => window.sdk.inspect({ state: "rejected" }));
    expect(rejected).toMatchObject({
      success: true,
      data: [{ operation: { properties: { n: 37 } }, error: { code: 4000, message: "poison" } }],
    });
    expect(await numbersOnService(tab)).toEqual(upTo(100).filter((n) => n !== 37));

    // And nothing is lost: what is sent again once the service can read it arrives.
    site.intercept(null);
    const retried = await tab.evaluate(() => window.sdk.retryRejected());
    expect(retried).toEqual({ success: true, data: { requeued: 1 } });
    await settle(tab);
    expect((await stateOf(tab))?.outbox).toEqual({ waiting: 0, rejected: 0 });
  });

  test("a captive portal's 200 acknowledges nothing", async () => {
    const { browser, site } = setting;
    const tab = await visit(browser, site);
    await settle(tab);
    site.intercept(() => ({
      status: 200,
      headers: { "Content-Type": "text/html" },
      body: "<!doctype html><title>Welcome to our Wi-Fi</title>",
    }));
    expect(await trackNumbers(tab, 0, 20)).toBe(20);
    const flush = await tab.evaluate(() => window.sdk.flush({ timeoutMs: 500 }));
    expect(flush).toEqual({ success: true, data: { waiting: 20 } });
    expect(site.requests.some(({ operations, status }) => operations.length > 0 && status === 200)).toBe(
      true,
    );
    site.intercept(null);
    expect(await numbersOnService(tab)).toEqual(upTo(20));
  });

  test("answers that are lost make no event arrive twice", async () => {
    const { browser, site } = setting;
    const tab = await visit(browser, site);
    await settle(tab);
    let lost = 0;
    site.intercept(({ operations }) => (operations.length > 0 && lost++ < 3 ? "lost answer" : undefined));
    expect(await trackNumbers(tab, 0, 120)).toBe(120);
    await settle(tab);
    expect(lost).toBeGreaterThanOrEqual(4);
    expect(await numbersOnService(tab)).toEqual(upTo(120));
  });

  test("no request is made before Retry-After has passed, not even when the page says online", async () => {
    const { browser, site } = setting;
    const tab = await visit(browser, site);
    await settle(tab);
    site.intercept(() => ({ status: 429, headers: { "Retry-After": "600" }, body: "{}" }));
    await track(tab, "throttled");
    await tab.waitForFunction(() => window.sdk.state?.delivery.status === "retrying");
    const before = site.requests.length;
    site.intercept(null);
    await tab.evaluate(() => dispatchEvent(new Event("online")));
    expect(await tab.evaluate(() => window.sdk.flush({ timeoutMs: 300 }))).toMatchObject({
      data: { waiting: 1 },
    });
    expect(site.requests.length).toBe(before);
  });
});

describe("an API key that the service refuses", () => {
  test("a wrong key says 2018 at init, and nothing is recorded", async () => {
    const { browser, site } = setting;
    const tab = await openTab(browser, site);
    expect(await init(tab, "no such key")).toMatchObject({
      success: false,
      error: {
        code: 2018,
        name: "MissingAuthorizationTokenError",
        message: "Missing authorization token. Make sure a registration exists.",
        platform: "fe-snippet",
      },
    });
    expect(await track(tab, "too early")).toMatchObject({ success: false, error: { code: 2015 } });
  });

  test("a key with one more scope is refused", async () => {
    const { browser, site } = setting;
    const { key } = await site.service.keys.create({ scopes: ["web:tracking:sdk", "people:read"] });
    const tab = await openTab(browser, site);
    expect(await init(tab, key)).toMatchObject({ success: false, error: { code: 2018 } });
  });

  test("a key revoked later stops delivery, keeps everything, and goes on once it is valid again", async () => {
    const { browser, site } = setting;
    const tab = await visit(browser, site);
    await settle(tab);
    await site.service.keys.revoke(site.trackingKey);
    expect(await trackNumbers(tab, 0, 10)).toBe(10);
    await tab.waitForFunction(() => window.sdk.state?.delivery.status === "stopped");
    expect(await stateOf(tab)).toMatchObject({
      outbox: { waiting: 10, rejected: 0 },
      delivery: { lastError: { code: 2018 } },
    });
    expect(await trackNumbers(tab, 10, 1)).toBe(1); // calls go on being stored

    await site.service.keys.restore(site.trackingKey);
    await tab.evaluate(() => dispatchEvent(new Event("online")));
    expect(await numbersOnService(tab)).toEqual(upTo(11));
  });
});

describe("the outbox of a page that tracks on", () => {
  test("calls about the outbox with wrong arguments are refused by name, and the tracker goes on", async () => {
    const { browser, site } = setting;
    const tab = await visit(browser, site);
    const host = (await stateOf(tab))?.host;
    const outcomes = await tab.evaluate(async () => {
      const { sdk } = window as unknown as {
        sdk: Record<"inspect" | "retryRejected", (given: unknown) => unknown>;
      };
      return Promise.all([
        sdk.inspect({ state: "sent" }),
        sdk.inspect({ limit: 1.5 }),
        sdk.inspect("waiting"),
        sdk.retryRejected("a-1"),
        sdk.retryRejected([1]),
      ]);
    });
    const causes = [
      "query.state must be waiting or rejected",
      "query.limit must be a whole number",
      "query must be an object",
      "ids must be a list of strings",
      "ids[0] must be a string",
    ];
    expect(outcomes).toMatchObject(
      causes.map((message) => ({ success: false, error: { code: 2102, message } })),
    );
    expect(await trackNumbers(tab, 0, 1)).toBe(1);
    expect(await stateOf(tab)).toMatchObject({ host });
  });

  test("a person whom the service refuses to register holds up nobody else, and its operations can be discarded", async () => {
    const { browser, site } = setting;
    const tab = await visit(browser, site);
    await settle(tab);
    const error = { code: 4041, name: "NotFoundError", message: "no such person", origin: "people-service" };
    const body = JSON.stringify({ error: { ...error, platform: "test" } });
    let isRefused = true;
    site.intercept(({ registering }) =>
      isRefused && registering?.kind === "lead" ? { status: 404, body } : undefined,
    );
    const lead = await tab.evaluate(() => window.widget.startChat());
    await profileIs(tab, "lead");
    expect(await trackNumbers(tab, 0, 3)).toBe(3);
    await tab.waitForFunction(() => window.sdk.state?.delivery.status === "stopped");
    const message = `the lead ${lead} cannot be registered: no such person`;
    expect((await stateOf(tab))?.delivery.lastError).toEqual({ ...error, message, platform: "fe-snippet" });

    // Who is there next is registered and delivered.
    await tab.evaluate(() => window.widget.signOut());
    await profileIs(tab, "visitor");
    const before = site.requests.length;
    expect(await trackNumbers(tab, 3, 3)).toBe(3);
    const delivered = () =>
      site.requests.slice(before).flatMap(({ operations, status }) => (status === 200 ? operations : []));
    await expect.poll(() => delivered().length).toBe(4); // the session's start, three events
    expect((await stateOf(tab))?.delivery.lastError).toMatchObject({ message });

    // The merge, three events and the session's end; what was delivered may show a moment later.
    await tab.waitForFunction(() => window.sdk.state?.outbox.waiting === 5);
    const discarded = await tab.evaluate(() => window.sdk.discardRejected());
    expect(discarded).toEqual({ success: true, data: { discarded: 5 } });
    expect((await stateOf(tab))?.outbox).toEqual({ waiting: 0, rejected: 0 });
    isRefused = false;
    expect(await numbersOnService(tab)).toEqual([3, 4, 5]);
  });

  test("a Live Chat session with a person id of 200 characters is ignored, and the visitor is delivered", async () => {
    const { browser, site } = setting;
    const tab = await openTab(browser, site);
    const warnings: string[] = [];
    tab.on("console", (said) => said.type() === "warning" && warnings.push(said.text()));
    await tab.evaluate(() => {
      const session = { id: "s", kind: "authenticated", personId: "x".repeat(200), token: "t" };
      localStorage.setItem("fixture-live-chat", JSON.stringify(session));
    });
    expect(await init(tab, site.trackingKey)).toEqual({ success: true, data: null });
    expect(await trackNumbers(tab, 0, 3)).toBe(3);
    await settle(tab);
    expect((await stateOf(tab))?.profile?.kind).toBe("visitor");
    expect(warnings).toEqual([expect.stringContaining("personId")]);
    expect(await numbersOnService(tab)).toEqual([0, 1, 2]);
  });

  test("a key that no header can carry is refused at init(), and white space around a good one is not", async () => {
    const { browser, site } = setting;
    const tab = await openTab(browser, site);
    const { trackingKey: key } = site;
    expect(await init(tab, `${key.slice(0, 4)}\u200b${key.slice(4)}`)).toMatchObject({
      success: false,
      error: { code: 2102, message: expect.stringContaining("the character U+200B at position 5") },
    });
    expect(site.requests).toEqual([]);
    expect(await init(tab, ` ${key}\n`)).toEqual({ success: true, data: null });
    await settle(tab);
  });
});

describe("early attempts", () => {
  test("150 online events in 6 s make a handful of requests, and the next one is followed", async () => {
    const { browser, site } = setting;
    const tab = await visit(browser, site);
    await settle(tab);
    site.setReachable(false);
    expect(await trackNumbers(tab, 0, 5)).toBe(5);
    await tab.waitForFunction(() => window.sdk.state?.delivery.status === "retrying");
    const before = site.requests.length;
    await tab.evaluate(async () => {
      for (let n = 0; n < 150; n++) {
        dispatchEvent(new Event("online"));
        await new Promise((resolve) => setTimeout(resolve, 40));
      }
    });
    const requests = site.requests.length - before;
    expect(requests).toBeGreaterThan(0);
    expect(requests).toBeLessThan(10);
    site.setReachable(true);
    await tab.evaluate(() => dispatchEvent(new Event("online")));
    await tab.waitForFunction(() => window.sdk.state?.outbox.waiting === 0);
    expect(await numbersOnService(tab)).toEqual(upTo(5));
  });
});
