import { expect, test } from "vitest";
import { append, event, onEachDriver, pageView, START, startService, update } from "./start-service.js";

onEachDriver((driver) => {
  test("applies a batch and shows it in the lead's timeline", async () => {
    const subject = await startService(driver);
    const lead = await subject.lead();
    expect(
      await subject.statuses(lead.write, [event("sessionStarted", START - 10), pageView(START - 10)]),
    ).toEqual(["accepted", "accepted"]);
    const timeline = await subject.timeline(lead.person.id);
    expect(timeline.map(({ definitionId }) => definitionId)).toEqual(["sessionStarted", "pageView"]);
  });
  test("updates a lead", async () => {
    const subject = await startService(driver);
    const lead = await subject.lead();
    expect(
      await subject.statuses(lead.write, [
        update(START, { firstName: "A" }),
        append(START, "cats", { name: "x" }),
      ]),
    ).toEqual(["accepted", "accepted"]);
    expect(await subject.person(lead.person.id)).toMatchObject({
      firstName: "A",
      customAttributes: { cats: [{ name: "x" }] },
    });
  });
});
