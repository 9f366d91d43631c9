/** What is read of a journal, whatever has become of it. */
import { expect, test } from "vitest";
import { commandsIn } from "../../../src/core/commands/command-batch.js";
import { readJournal } from "../../../src/main/journals.js";
import type { TrackCommand } from "../../../src/protocol/host.js";
import { PAGE, command, journal } from "./left-journal.js";

const DAY = 24 * 60 * 60 * 1000;

test.each([
  ["no JSON", "{"],
  ["of no version", journal({ v: undefined })],
  ["of another page", journal({ pageId: "xxxxxxxxxxxxxxxx" })],
  ["huge", "9".repeat(600_000)],
  ["45 days old", journal({ at: Date.now() - 46 * DAY })],
  ["of a newer version, and 45 days old", journal({ v: 4, at: Date.now() - 46 * DAY })],
  ["without commands", journal({ commands: [] })],
  ["of what are no batches", journal({ batches: [null, {}, { commands: 5 }] })],
  [
    "of what are no commands",
    journal({ commands: [null, {}, { ...command(1), n: 0 }, { ...command(1), maxWaiting: "9" }] }),
  ],
])("a journal that is %s holds nothing, and is removed", (_what, text) => {
  expect(readJournal(text, PAGE, Date.now())).toEqual([]);
});

test("a journal of another version is left for it", () => {
  expect(readJournal(journal({ v: 4 }), PAGE, Date.now())).toBeNull();
});

const commandsOf = (text: string) =>
  readJournal(text, PAGE, Date.now())?.flatMap((batch) => commandsIn(batch));

test("what a batch of a journal says holds for its commands, unless they say otherwise", () => {
  const [first, third] = [command(1), command(3)];
  const { generation, sessionTimeoutMs, maxWaiting, ...bare } = first as TrackCommand;
  const head = { generation, sessionTimeoutMs, maxWaiting };
  const batches = [{ ...head, commands: [bare, { ...bare, n: 2, generation: 7 }] }, { commands: [third] }];
  expect(commandsOf(journal({ batches }))).toEqual([first, { ...first, n: 2, generation: 7 }, third]);
});

test("a command that says nothing of itself is taken for none, whatever its batch says", () => {
  const batches = [{ ...command(1), commands: [null, {}, { n: 2 }] }];
  expect(readJournal(journal({ batches }), PAGE, Date.now())).toEqual([]);
});

test("a journal of the version before is taken in, each event with its own page", () => {
  const page = { url: "https://shop.example/", title: "Shop" };
  const commands = [{ ...command(1), page }, command(2)];
  expect(commandsOf(journal({ v: 2, commands }))).toEqual(commands);
});

test("what is broken in a journal takes nothing else with it", () => {
  const text = journal({ commands: [command(1), { ...command(2), type: "erase" }, command(3)] });
  expect(commandsOf(text)?.map(({ n }) => n)).toEqual([1, 3]);
});
