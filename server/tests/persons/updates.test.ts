import { describe, expect, test } from "vitest";
import { append, update } from "../support/operations.js";
import { onEachDriver, sharedService, START } from "../support/start-service.js";

const EXAMPLE = {
  address: "Kirchmayer street 97",
  birthDate: "1993-01-01",
  city: "Prague",
  contactInformation: { email: [{ address: "[email protected]" }], phone: [{ number: "421905123450" }] },
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
};

const phones = (from: number) =>
  update(START, {
    contactInformation: {
      phone: Array.from({ length: 60 }, (_, index) => ({ number: `${from + index}` })),
    },
  });

describe("updates of persons", () => {
  onEachDriver((driver) => {
    const shared = sharedService(driver);

    test("the specification's own example passes as it stands", async () => {
      const subject = shared();
      const lead = await subject.lead();
      expect(await subject.statuses(lead.write, [update(START, EXAMPLE)])).toEqual(["accepted"]);
      expect(await subject.person(lead.person.id)).toMatchObject({ ...EXAMPLE, ...lead.person });
    });

    test("an update replaces the fields given and keeps the rest; tags and contacts add", async () => {
      const subject = shared();
      const lead = await subject.lead();
      await subject.send(lead.write, [update(START, EXAMPLE)]);
      await subject.send(lead.write, [
        update(START, {
          firstName: "Sam",
          tags: ["technology", "music"],
          contactInformation: { email: [{ address: "[email protected]" }, { address: "a@example.com" }] },
          customAttributes: { size: 4 },
          integrations: { salesforce: { leadId: "789" } },
        }),
      ]);
      expect(await subject.person(lead.person.id)).toMatchObject({
        firstName: "Sam",
        lastName: "Holsen",
        tags: ["reading", "technology", "music"],
        contactInformation: {
          email: [{ address: "[email protected]" }, { address: "a@example.com" }],
          phone: [{ number: "421905123450" }],
        },
        customAttributes: { car: "Mercedes", size: 4 },
        integrations: { salesforce: { contactId: "123", leadId: "789" } },
      });
    });

    test("a wrong field is rejected with its reason, and nothing of that update is kept", async () => {
      const subject = shared();
      const lead = await subject.lead();
      const wrong = { firstName: "Sam", birthDate: "1993-02-30" };
      const [result] = await subject.send(lead.write, [update(START, wrong)]);
      expect(result).toMatchObject({
        status: "rejected",
        error: { message: "person.birthDate must be a real date" },
      });
      expect(await subject.person(lead.person.id)).not.toHaveProperty("firstName");
    });

    test("a person has at most 100 contacts of a kind", async () => {
      const subject = shared();
      const lead = await subject.lead();
      expect(await subject.statuses(lead.write, [phones(0), phones(60), phones(20)])).toEqual([
        "accepted",
        "rejected",
        "accepted",
      ]);
    });

    test("items are appended to a list, each with an id", async () => {
      const subject = shared();
      const lead = await subject.lead();
      const operations = [
        append(START, "category", { name: "special" }),
        append(START, "category", { name: "other" }),
      ];
      expect(await subject.statuses(lead.write, operations)).toEqual(["accepted", "accepted"]);
      const { customAttributes } = await subject.person(lead.person.id);
      expect(customAttributes).toEqual({
        category: [
          { id: expect.any(String), name: "special" },
          { id: expect.any(String), name: "other" },
        ],
      });
    });

    test("nothing is appended to what is no list", async () => {
      const subject = shared();
      const lead = await subject.lead();
      const operations = [
        update(START, { customAttributes: { car: "Mercedes" } }),
        append(START, "car", { name: "Audi" }),
        append(START, "toString", { name: "Audi" }),
      ];
      expect(await subject.statuses(lead.write, operations)).toEqual(["accepted", "rejected", "accepted"]);
    });

    test("only leads are updated", async () => {
      const subject = shared();
      const visitor = await subject.visitor();
      const user = await subject.signIn();
      const writeUser = await subject.register(user.person, user.token);
      for (const write of [visitor.write, writeUser]) {
        const results = await subject.send(write, [
          update(START, { city: "Brno" }),
          append(START, "a", { b: 1 }),
        ]);
        expect(results.map(({ error }) => error?.name)).toEqual(["NotALeadError", "NotALeadError"]);
      }
    });

    test("a person does not grow without end", async () => {
      const subject = shared();
      const lead = await subject.lead();
      const statuses: string[] = [];
      for (let index = 0; index < 3; index++)
        statuses.push(
          ...(await subject.statuses(lead.write, [
            update(START, { tags: [`${index}${"x".repeat(400 * 1024)}`] }),
          ])),
        );
      expect(statuses).toEqual(["accepted", "accepted", "rejected"]);
    });
  });
});
