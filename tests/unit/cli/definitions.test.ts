/** `typegen` and `definitions`, against the real service. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createPeopleService, type PeopleService } from "../../../server/src/index.js";
import type { EventDefinition } from "../../../src/protocol/wire.js";
import { newFolder, runCommand, type Ran } from "./run-command.js";

const ENDPOINT = "http://service.example/people";
const ACTION: EventDefinition = {
  id: "action",
  title: "Somebody acts",
  properties: { name: "string", label: "string" },
};

let service: PeopleService;
let trackingKey: string;
let adminKey: string;
let readerKey: string;
beforeAll(async () => {
  service = await createPeopleService({ sweepIntervalMs: 0 });
  ({ key: trackingKey } = await service.keys.create({ scopes: ["web:tracking:sdk"] }));
  ({ key: adminKey } = await service.keys.create({ scopes: ["people:manage"] }));
  ({ key: readerKey } = await service.keys.create({ scopes: ["people:read"] }));
});
afterAll(() => service.close());

type Refuse = (request: Request) => Response | undefined;

/** A site's folder, in which commands call the service. */
const site = async (refuse: Refuse = () => undefined) => {
  const cwd = await newFolder();
  const requests: string[] = [];
  const call: typeof fetch = async (input, init) => {
    const request = new Request(input, init);
    requests.push(`${request.method} ${new URL(request.url).pathname}`);
    return refuse(request) ?? (await service.fetch(request));
  };
  const inFolder = (args: readonly string[], variables: Record<string, string> = {}): Promise<Ran> =>
    runCommand(args, { cwd, variables: { PEOPLE_TRACKING_ENDPOINT: ENDPOINT, ...variables }, fetch: call });
  return {
    requests,
    inFolder,
    read: (name: string) => readFile(join(cwd, name), "utf8"),
    write: (name: string, content: unknown) =>
      writeFile(join(cwd, name), typeof content === "string" ? content : JSON.stringify(content)),
    typegen: (...args: string[]) =>
      inFolder(["typegen", "--out", "events.d.ts", ...args], { PEOPLE_TRACKING_KEY: trackingKey }),
    push: (...args: string[]) =>
      inFolder(["definitions", "push", "events.json", ...args], { PEOPLE_TRACKING_ADMIN_KEY: adminKey }),
  };
};

const defined = async (): Promise<EventDefinition[]> => (await service.definitions.list()).definitions;

describe("definitions push", () => {
  test("defines what is new, changes what differs, and says so", async () => {
    const { push, write } = await site();
    await write("events.json", [ACTION, { id: "bought", properties: {} }]);
    expect(await push()).toEqual({
      code: 0,
      errors: [],
      output:
        "+ action (name: string, label: string)\n+ bought (no properties)\n2 changed, 0 unchanged, 0 only at the service.",
    });
    expect(await defined()).toEqual([ACTION, { id: "bought", properties: {} }]);

    await write("events.json", {
      definitions: [{ id: "action", properties: { name: "numeric", price: "decimal" } }],
    });
    expect((await push()).output).toBe(
      '~ action: title "Somebody acts" → "", name: string → numeric, -label, +price: decimal\n1 changed, 0 unchanged, 1 only at the service.',
    );
    expect(await defined()).toEqual([
      { id: "action", properties: { name: "numeric", price: "decimal" } },
      { id: "bought", properties: {} },
    ]);
  });

  test("sends nothing where nothing differs", async () => {
    const { push, write, requests } = await site();
    await service.definitions.put(ACTION);
    await write("events.json", [{ ...ACTION, properties: { label: "string", name: "string" } }]);
    expect((await push()).output).toContain("0 changed, 1 unchanged");
    expect(requests).toEqual(["GET /people/v1/definitions"]);
  });

  test("says with --dry-run what it would do, and does nothing", async () => {
    const { push, write } = await site();
    const before = await defined();
    await write("events.json", [{ id: "dry", properties: {} }]);
    const { code, output } = await push("--dry-run");
    expect([code, output]).toEqual([0, expect.stringContaining("+ dry (no properties)\n1 would change")]);
    expect(await defined()).toEqual(before);
  });

  test.each([
    ["{", "events.json is not JSON"],
    ["null", "events.json has a problem:\n  must be a list of definitions"],
    [
      [
        { id: "good", properties: {} },
        { id: "bad id", properties: {} },
      ],
      "[1].id must be 1–36 letters or digits",
    ],
    [[{ id: "pageView", properties: {} }], "[0].id names a standard event"],
    [[{ id: "a", properties: { Name: "string" } }], "[0].properties.Name must begin with a–z"],
    [[{ id: "a", properties: { name: "text" } }], "[0].properties.name must be one of string, boolean"],
    [[{ id: "a" }], "[0].properties is missing"],
    [[{ id: "a", properties: {}, propertys: {} }], "[0].propertys is not a field of a definition"],
    [
      [
        { id: "a", properties: {} },
        { id: "a", properties: {} },
      ],
      "defines a more than once",
    ],
    [["a"], "[0] must be an object with id, title and properties"],
  ])("changes nothing for the file %j", async (content, problem) => {
    const { push, write, requests } = await site();
    await write("events.json", content);
    const { code, errors } = await push();
    expect([code, errors]).toEqual([1, [expect.stringContaining(problem)]]);
    expect(requests).toEqual([]);
  });

  test("names all that is wrong in a file at once", async () => {
    const { push, write } = await site();
    await write("events.json", [
      { id: "a b", properties: {} },
      { id: "a", properties: { name: "text" } },
    ]);
    const { errors } = await push();
    expect(errors[0]).toContain("[0].id");
    expect(errors[0]).toContain("[1].properties.name");
  });

  test("says what was changed before the service stopped answering", async () => {
    const { push, write } = await site((request) =>
      request.url.endsWith("/second")
        ? Response.json(
            { error: { code: 5030, name: "E", message: "busy", origin: "", platform: "" } },
            { status: 503 },
          )
        : undefined,
    );
    await write("events.json", [
      { id: "first", properties: {} },
      { id: "second", properties: {} },
      { id: "third", properties: {} },
    ]);
    const { code, errors } = await push();
    expect([code, errors]).toEqual([
      1,
      [
        "people-tracking-sdk definitions push: the People service refused to define second: busy (503, code 5030). first changed before that; run it again.",
      ],
    ]);
  });

  test("is refused with a key that may not manage definitions, and nothing is changed", async () => {
    const { inFolder, write } = await site();
    await write("events.json", [{ id: "forbidden", properties: {} }]);
    const { code, errors } = await inFolder(["definitions", "push", "events.json", "--key", trackingKey]);
    expect(code).toBe(1);
    expect(errors[0]).toContain(
      "the API key needs the scope people:manage (403, code 4033). Nothing was changed.",
    );
  });
});

describe("definitions pull", () => {
  test("writes a file that push takes and finds unchanged", async () => {
    await service.definitions.put(ACTION);
    const { inFolder, push, read } = await site();
    expect((await inFolder(["definitions", "pull", "events.json", "--key", readerKey])).code).toBe(0);
    expect(JSON.parse(await read("events.json"))).toEqual({ definitions: await defined() });
    expect((await push()).output).toMatch(/^0 changed/);
  });
});

describe("typegen", () => {
  beforeEach(() => service.definitions.put(ACTION));

  test.each(["tracking key", "key that reads persons", "key that manages definitions"])(
    "writes the types with a %s",
    async (kind) => {
      const keys = [trackingKey, readerKey, adminKey];
      const key = keys[["tracking key", "key that reads persons"].indexOf(kind)] ?? adminKey;
      const { typegen, read } = await site();
      expect(await typegen("--key", key)).toMatchObject({ code: 0, errors: [] });
      expect(await read("events.d.ts")).toContain(
        "  /** Somebody acts */\n  action: {\n    label?: string | null;",
      );
    },
  );

  test("registers with a tracking key where the service tells its definitions to registrations alone", async () => {
    const { typegen, requests } = await site((request) =>
      request.method === "GET" && request.headers.get("Authorization")?.startsWith("App ")
        ? Response.json(null, { status: 401 })
        : undefined,
    );
    expect((await typegen()).code).toBe(0);
    expect(requests).toEqual([
      "GET /people/v1/definitions",
      "POST /people/v1/registrations",
      "GET /people/v1/definitions",
    ]);
  });

  test("--check passes for a current file, whatever its line ends", async () => {
    const { typegen, read, write } = await site();
    await typegen();
    await write("events.d.ts", (await read("events.d.ts")).replaceAll("\n", "\r\n"));
    expect(await typegen("--check")).toEqual({ code: 0, errors: [], output: "events.d.ts is up to date." });
  });

  test("--check fails for a missing and for a stale file, names the events and writes nothing", async () => {
    const { typegen, read } = await site();
    const missing = await typegen("--check");
    expect([missing.code, missing.output]).toEqual([1, expect.stringContaining("events.d.ts is missing.")]);
    await typegen();
    const before = await read("events.d.ts");
    await service.definitions.put({ ...ACTION, properties: { name: "numeric" } });
    const stale = await typegen("--check");
    expect([stale.code, stale.output]).toEqual([1, expect.stringContaining("not up to date:\n  ~ action\n")]);
    expect(await read("events.d.ts")).toBe(before);
  });

  test("says what to do where nothing answers, where another server answers, and where the key is unknown", async () => {
    const silent = await runCommand(["typegen", "--out", "x", "--endpoint", ENDPOINT, "--key", "k"]);
    expect([silent.code, silent.errors[0]]).toEqual([
      1,
      expect.stringContaining("does not answer (ECONNREFUSED)"),
    ]);
    const other = await (await site(() => new Response("<html>"))).typegen();
    expect([other.code, other.errors[0]]).toEqual([
      1,
      expect.stringContaining("is that the right endpoint?"),
    ]);
    const unknown = await (await site()).typegen("--key", "unknown");
    expect([unknown.code, unknown.errors[0]]).toEqual([
      1,
      expect.stringContaining("the API key is not known (401, code 4010). Check the key"),
    ]);
  });
});
