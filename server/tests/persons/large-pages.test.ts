import { describe, expect, test } from "vitest";
import { pageView, update } from "../support/operations.js";
import { onEachDriver, sharedService, START, type Subject } from "../support/start-service.js";

const LARGE = 1_000_000;
const COUNT = 12;
/** The limit that the README gives, with room for the JSON around the entries. */
const MAX_ANSWER_BYTES = 9 * 1024 * 1024;

/** Reads all pages of a list, and measures the longest response. */
async function readAll(subject: Subject, path: string) {
  const pages: Record<string, unknown>[][] = [];
  let longest = 0;
  for (let after: string | null = ""; after !== null;) {
    const { status, body }: { status: number; body: Record<string, unknown> } = await subject.call(
      "GET",
      `${path}?after=${after}`,
      { authorization: `App ${subject.adminKey}` },
    );
    expect(status).toBe(200);
    const { next, ...lists } = body;
    pages.push(Object.values(lists)[0] as Record<string, unknown>[]);
    longest = Math.max(longest, JSON.stringify(body).length);
    after = next as string | null;
  }
  return { pages, longest };
}

describe("large pages", () => {
  onEachDriver((driver) => {
    const shared = sharedService(driver);

    test("a timeline of large events is read in pages of a few megabytes, without duplicates or gaps", async () => {
      const subject = shared();
      const { write, person } = await subject.lead();
      const ids = [];
      for (let number = 0; number < COUNT; number++) {
        const operation = pageView(START + number, {
          properties: { url: "", title: "x".repeat(LARGE), referrer: "" },
        });
        ids.push(operation.id);
        expect(await subject.statuses(write, [operation], { sentAt: START + number })).toEqual(["accepted"]);
      }
      const { pages, longest } = await readAll(subject, `/v1/persons/${person.id}/timeline`);
      expect(longest).toBeLessThan(MAX_ANSWER_BYTES);
      expect(pages.map((page) => page.length)).toEqual([8, 4]);
      expect(pages.flat().map(({ id }) => id)).toEqual(ids);
    });

    test("large persons are listed in pages of a few megabytes, without duplicates or gaps", async () => {
      const subject = shared();
      const attributes = Object.fromEntries(
        Array.from({ length: 240 }, (_, number) => [`attribute${number}`, "x".repeat(4096)]),
      );
      const ids = new Set<string>();
      for (let number = 0; number < COUNT; number++) {
        const { write, person } = await subject.lead();
        ids.add(person.id);
        expect(await subject.statuses(write, [update(START, { customAttributes: attributes })])).toEqual([
          "accepted",
        ]);
      }
      const { pages, longest } = await readAll(subject, "/v1/persons");
      expect(longest).toBeLessThan(MAX_ANSWER_BYTES);
      expect(pages.length).toBeGreaterThan(1);
      const listed = pages.flat().map(({ id }) => id as string);
      expect(new Set(listed).size).toBe(listed.length);
      expect(listed.filter((id) => ids.has(id))).toHaveLength(COUNT);
    });
  });
});
