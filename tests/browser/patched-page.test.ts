/** A page whose libraries have patched prototypes, promises, timers and `fetch` before the tracker was loaded. */
import { describe, expect, test } from "vitest";
import { useSetting } from "./support/setting.js";
import { profileIs, settle, stateOf, visit } from "./support/visit.js";

const setting = useSetting({ isPatched: true });
const STORED = { success: true, data: null };

describe("on a patched page", () => {
  test.each(["shared", "dedicated", "page"] as const)("lists arrive as lists (host: %s)", async (host) => {
    const { browser, site } = setting;
    // The second finds a database there, and a host of its own meets the first one's on disk.
    const [tab] = [await visit(browser, site, { host }), await visit(browser, site, { host })];
    expect(await tab.evaluate(() => [JSON.stringify(["a"]), Promise.name])).toEqual([
      '"[\\"a\\"]"',
      "ZoneAwarePromise",
    ]);
    const lead = await tab.evaluate(() => window.widget.startChat());
    for (const page of browser.pages()) if (page.url() !== "about:blank") await profileIs(page, "lead");
    const outcomes = await tab.evaluate(() =>
      Promise.all([
        window.sdk.updatePerson({ tags: ["a", "b"], customAttributes: { list: [{ at: new Date(0) }] } }),
        window.sdk.appendToList("list", { link: new URL("/kite", location.origin) }),
        window.sdk.track("action", { constructor: "no such property" }),
      ]),
    );
    expect(outcomes.slice(0, 2)).toEqual([STORED, STORED]);
    expect(outcomes[2]).toMatchObject({
      error: {
        message:
          "Error when calling track(). Cause: properties.constructor is not defined for the event action",
      },
    });
    await settle(tab);
    expect(await site.person(lead)).toMatchObject({
      tags: ["a", "b"],
      customAttributes: { list: [{ at: "1970-01-01T00:00:00.000Z" }, { link: `${site.origin}/kite` }] },
    });
    expect(await stateOf(tab)).toMatchObject({ host, storage: "disk", outbox: { waiting: 0, rejected: 0 } });
  });

  test("what JSON would lose is refused by what it is, elements and other windows' objects among it", async () => {
    const { browser, site } = setting;
    const tab = await visit(browser, site, { host: "page" });
    const causes = await tab.evaluate(async () => {
      const frame = document.body.appendChild(document.createElement("iframe"));
      const { Map: OtherMap } = frame.contentWindow as unknown as { Map: MapConstructor };
      const given = [document.body, new OtherMap(), window, new File([], "a"), new (class extends Map {})()];
      const outcomes = await Promise.all(given.map((name) => window.sdk.track("action", { name } as never)));
      return outcomes.map((outcome) => (outcome.success ? "stored" : outcome.error.message));
    });
    expect(causes).toEqual(
      ["HTMLBodyElement", "Map", "Window", "File", "Map"].map(
        (kind) => `Error when calling track(). Cause: properties.name is a ${kind}, which cannot be carried`,
      ),
    );
  });
});
