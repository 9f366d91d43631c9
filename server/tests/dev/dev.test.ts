import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, inject, onTestFinished, test } from "vitest";
import type { DevService } from "../../../src/cli/dev-service.js";
import { event } from "../support/operations.js";

const newFolder = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), "people-service-dev-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
};

/** Runs the built command `people-service` in a folder; it is killed after the test. */
const people = (cwd: string, ...args: string[]) => {
  const child = spawn(process.execPath, [join(inject("dist"), "cli.js"), ...args], { cwd });
  onTestFinished(() => void child.kill("SIGKILL"));
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr])
    createInterface(stream).on("line", (line) => {
      lines.push(line);
      for (const check of waiting) check();
    });
  const exited = once(child, "close").then(([code]) => {
    for (const check of waiting) check();
    return code as number | null;
  });
  const line = (text: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const check = (): void => {
        const found = lines.find((each) => each.includes(text));
        if (found) resolve(found);
        else if (child.exitCode !== null) reject(new Error(`ended without “${text}”:\n${lines.join("\n")}`));
      };
      waiting.add(check);
      check();
    });
  return { child, lines, line, exited };
};

const startDev = async (cwd: string, ...args: string[]) => {
  const running = people(cwd, "dev", "--port", "0", ...args);
  await running.line("What your pages send appears here");
  const service = JSON.parse(
    await readFile(join(cwd, ".people-tracking/service.json"), "utf8"),
  ) as DevService;
  return { ...running, service };
};

const post = (url: string, authorization: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(url, {
    method: "POST",
    headers: { Authorization: authorization, "Content-Type": "application/json", ...headers },
    body: JSON.stringify(body),
  });

/** Sends one batch as a page of that origin. */
const send = async ({ endpoint, trackingKey }: DevService, origin: string, operations: readonly object[]) => {
  const profile = { kind: "visitor", id: "c0ffee00-0000-4000-8000-000000000000" };
  const registered = await post(
    `${endpoint}/v1/registrations`,
    `App ${trackingKey}`,
    { profile },
    { Origin: origin },
  );
  const { token } = (await registered.json()) as { token: string };
  const batch = { id: "batch", sentAt: new Date().toISOString(), sdk: "test", operations };
  return post(`${endpoint}/v1/batches`, `Bearer ${token}`, batch, { Origin: origin });
};

describe("people-service dev", () => {
  test("prints what to paste, takes events of pages of this machine on any port, and prints what became of them", async () => {
    const cwd = await newFolder();
    const { child, lines, line, exited, service } = await startDev(cwd);
    expect(lines).toEqual(
      expect.arrayContaining([
        '  import { PeopleTrackingSDK } from "people-tracking-sdk";',
        `  const sdk = new PeopleTrackingSDK({ endpoint: "${service.endpoint}", liveChat: null });`,
        `  console.log(await sdk.init("${service.trackingKey}"));`,
        '  console.log(await sdk.track("action", { name: "Button clicked", label: "add-to-favorites" }));',
      ]),
    );
    const at = Date.now();
    const response = await send(service, "http://localhost:5173", [
      event("sessionStarted", at),
      event("action", at, { properties: { name: "Button clicked" } }),
      event("acton", at, { properties: { name: "Button clicked" } }),
    ]);
    expect(response.headers.get("Access-Control-Allow-Origin")).toBe("http://localhost:5173");
    expect(await line("✓ action")).toBe('✓ action {"name":"Button clicked"}');
    expect(await line("✗ acton")).toMatch(/^✗ acton \{"name":"Button clicked"\} — .*acton/);
    child.kill("SIGINT");
    expect(await exited).toBe(0);
  });

  test("keeps its keys and its data over a restart, out of Git and from others", async () => {
    const cwd = await newFolder();
    const first = await startDev(cwd);
    const { endpoint, adminKey } = first.service;
    const headers = { Authorization: `App ${adminKey}`, "Content-Type": "application/json" };
    const body = JSON.stringify({ properties: { mine: "string" } });
    expect((await fetch(`${endpoint}/v1/definitions/action`, { method: "PUT", headers, body })).status).toBe(
      200,
    );
    first.child.kill("SIGTERM");
    expect(await first.exited).toBe(0);

    const { service } = await startDev(cwd);
    expect(service).toEqual({ ...first.service, endpoint: service.endpoint });
    const answer = await fetch(`${service.endpoint}/v1/definitions`, { headers });
    expect(await answer.json()).toMatchObject({
      definitions: [{ id: "action", properties: { mine: "string" } }],
    });
    expect(await readFile(join(cwd, ".people-tracking/.gitignore"), "utf8")).toBe("*\n");
    expect((await stat(join(cwd, ".people-tracking/service.json"))).mode & 0o077).toBe(0);
  });

  test("names once the origins whose pages it refuses, and says why it refuses requests", async () => {
    const { lines, line, service } = await startDev(await newFolder(), "--origin", "http://192.168.1.5:5173");
    expect(
      (await send(service, "http://192.168.1.5:5173", [])).headers.has("Access-Control-Allow-Origin"),
    ).toBe(true);
    expect((await send(service, "http://10.0.0.1:5173", [])).headers.has("Access-Control-Allow-Origin")).toBe(
      false,
    );
    await post(`${service.endpoint}/v1/registrations`, "App wrong", {});
    expect(await line("registrations 401")).toBe(
      "✗ POST /people/v1/registrations 401: the API key is not known",
    );
    expect(lines.filter((each) => each.includes("may not call"))).toEqual([
      "✗ Pages of http://10.0.0.1:5173 may not call the service. Start it with --origin http://10.0.0.1:5173",
    ]);
  });

  test("ends with one line where its port is in use, its keys are damaged or its folder cannot be made", async () => {
    const cwd = await newFolder();
    const taken = createServer().listen(0, "127.0.0.1");
    onTestFinished(() => void taken.close());
    await once(taken, "listening");
    const { port } = taken.address() as AddressInfo;
    const inUse = people(cwd, "dev", "--port", String(port));
    expect(await inUse.exited).toBe(1);
    expect(inUse.lines).toEqual([
      `people-service: port ${port} is in use: stop the program that listens there, or choose another with --port`,
    ]);

    await writeFile(join(cwd, "service.json"), "{}");
    const damaged = people(cwd, "dev", "--port", "0", "--data-dir", ".");
    expect(await damaged.exited).toBe(1);
    expect(damaged.lines).toEqual([expect.stringContaining("service.json is damaged: delete it")]);

    const impossible = people(cwd, "dev", "--port", "0", "--data-dir", "service.json/data");
    expect(await impossible.exited).toBe(1);
    expect(impossible.lines).toEqual([expect.stringContaining("cannot be made")]);
  });

  test("answers wrong arguments with one line and code 2", async () => {
    const cwd = await newFolder();
    for (const [args, problem] of [
      [["dev", "--prot", "1"], "Unknown option '--prot'"],
      [["start"], 'there is no command "start"'],
    ] as const) {
      const ended = people(cwd, ...args);
      expect(await ended.exited).toBe(2);
      expect(ended.lines).toEqual([expect.stringContaining(problem)]);
    }
  });
});
