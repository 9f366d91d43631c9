/** The specification's own examples, word for word. */
import { describe, expect, test } from "vitest";
import { useSetting } from "./support/setting.js";
import { init, openTab, profileIs, settle, visit } from "./support/visit.js";

const setting = useSetting();
const SUCCESS = { success: true, data: null };

describe("the specification's examples", () => {
  test("a call before init answers as the specification shows", async () => {
    const { browser, site } = setting;
    const tab = await openTab(browser, site);
    const outcome = await tab.evaluate(() => {
      const sdk = new window.PeopleTrackingSDK();
      return sdk.track("action", { name: "Button clicked", label: "add-to-favorites" });
    });
    expect(outcome).toEqual({
      success: false,
      error: {
        code: 2015,
        name: "NotInitializedPeopleTrackingError",
        message: "People tracking SDK is not initialized. Call init() first",
        origin: "fe-snippet",
        platform: "fe-snippet",
      },
    });
  });

  test("init, track and their examples succeed and arrive", async () => {
    const { browser, site } = setting;
    const tab = await openTab(browser, site);
    const outcomes = await tab.evaluate(async (key) => {
      const sdk = new window.PeopleTrackingSDK();
      window.sdk = sdk;
      const pe = sdk;
      return [
        await sdk.init(key),
        await pe.track("action", { name: "Button clicked", label: "add-to-favorites" }),
        await pe.track("action"),
      ];
    }, site.trackingKey);
    expect(outcomes).toEqual([SUCCESS, SUCCESS, SUCCESS]);
    const lead = await tab.evaluate(() => window.widget.startChat());
    await profileIs(tab, "lead");
    await settle(tab);
    const actions = (await site.timeline(lead)).filter(({ definitionId }) => definitionId === "action");
    expect(actions.map(({ properties }) => properties)).toEqual([
      { name: "Button clicked", label: "add-to-favorites" },
      undefined,
    ]);
    expect(actions[0]?.page).toEqual({ url: `${site.origin}/`, title: "Fixture" });
  });

  test("the examples of updatePerson and appendToList change the lead", async () => {
    const { browser, site } = setting;
    const tab = await visit(browser, site);
    const lead = await tab.evaluate(() => window.widget.startChat());
    await profileIs(tab, "lead");
    const outcomes = await tab.evaluate(async () => {
      const { sdk } = window;
      const pe = sdk;
      return [
        await sdk.updatePerson({
          address: "Kirchmayer street 97",
          birthDate: "1993-01-01",
          city: "Prague",
          contactInformation: {
            email: [{ address: "[email protected]" }],
            phone: [{ number: "421905123450" }],
          },
          country: "Czech Republic",
          customAttributes: { car: "Mercedes" },
          externalId: "number123456",
          firstName: "Semi",
          gender: "male",
          integrations: { salesforce: { contactId: "123", leadId: "456" } },
          lastName: "Holsen",
          middleName: "Gabcik",
          preferredLanguage: "it-it",
          profilePicture: "https://profile.com",
          tags: ["reading", "technology"],
        }),
        await pe.appendToList("category", { name: "special" }),
      ];
    });
    expect(outcomes).toEqual([SUCCESS, SUCCESS]);
    await settle(tab);
    expect(await site.person(lead)).toMatchObject({
      kind: "lead",
      firstName: "Semi",
      preferredLanguage: "it-it",
      contactInformation: { email: [{ address: "[email protected]" }], phone: [{ number: "421905123450" }] },
      customAttributes: { car: "Mercedes", category: [{ name: "special" }] },
      integrations: { salesforce: { contactId: "123", leadId: "456" } },
      tags: ["reading", "technology"],
    });
  });

  test("only a lead can be updated, and the error says so with the specification's code and name", async () => {
    const { browser, site } = setting;
    const tab = await visit(browser, site);
    const [update, append] = await tab.evaluate(async () => [
      await window.sdk.updatePerson({ firstName: "Semi" }),
      await window.sdk.appendToList("category", { name: "special" }),
    ]);
    expect(update).toMatchObject({
      success: false,
      error: {
        code: 2017,
        name: "PeopleUpdateError",
        message: expect.stringMatching(/^Error when calling updatePerson\(\)\. Cause: only a lead /),
        origin: "worker",
        platform: "fe-snippet",
      },
    });
    expect(append).toMatchObject({
      error: {
        code: 2019,
        name: "AppendToListError",
        message: expect.stringMatching(/^Error when calling appendToList\(\)\. Cause: only a lead /),
      },
    });
  });

  test("init without Live Chat answers 4001, and a site without Live Chat says so with null", async () => {
    const { browser, site } = setting;
    const tab = await openTab(browser, site);
    await tab.evaluate(() => delete (globalThis as { LiveChat?: unknown }).LiveChat);
    expect(await init(tab, site.trackingKey)).toEqual({
      success: false,
      error: {
        code: 4001,
        name: "InitRequiredError",
        message: "Live Chat is not initialized",
        origin: "fe-snippet",
        platform: "fe-snippet",
      },
    });
    expect(await init(tab, site.trackingKey, { liveChat: null })).toEqual(SUCCESS);
  });

  test("an event that is not defined, or not so, fails at the call with the cause", async () => {
    const { browser, site } = setting;
    const tab = await visit(browser, site);
    const messages = await tab.evaluate(async () => {
      const outcomes = [
        await window.sdk.track("unheardOf"),
        await window.sdk.track("action", { colour: "red" }),
        await window.sdk.track("action", { name: 7 }),
        await window.sdk.track("action", {}),
        await window.sdk.track("no spaces"),
        await window.sdk.track("action", { name: { nested: 1n } } as never),
      ];
      return outcomes.map((outcome) => (outcome.success ? "stored" : outcome.error.message));
    });
    expect(messages).toEqual([
      "Error when calling track(). Cause: no event is defined with the id unheardOf",
      "Error when calling track(). Cause: properties.colour is not defined for the event action",
      "Error when calling track(). Cause: properties.name must be of type string, as the event action defines it",
      "Error when calling track(). Cause: properties must hold at least one property, or be left out",
      "Error when calling track(). Cause: eventId must be 1–36 letters or digits",
      expect.stringContaining("properties.name.nested is a BigInt"),
    ]);
    // What is defined meanwhile is accepted, though the tracker had heard otherwise.
    await site.service.definitions.put({ id: "unheardOf", properties: {} });
    await expect
      .poll(() => tab.evaluate(async () => (await window.sdk.track("unheardOf")).success), {
        timeout: 15_000,
      })
      .toBe(true);
  });
});
