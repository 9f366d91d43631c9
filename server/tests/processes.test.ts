import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:http";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { pageView } from "./operations.js";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
let dist: string;

beforeAll(async () => {
  // Beside the real one, since the migrations are found from there.
  dist = await mkdtemp(join(root, "dist-"));
  await build({ configFile: join(root, "vite.config.ts"), logLevel: "silent", build: { outDir: dist } });
});
afterAll(() => rm(dist, { recursive: true, force: true }));

const dataFolder = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), "people-process-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
};

const keys = (dataDir: string, ...args: string[]) =>
  new Promise<{ code: number; out: string; err: string }>((resolve) => {
    const env = { ...process.env, DATA_DIR: dataDir, DATABASE_URL: "" };
    execFile(process.execPath, [join(dist, "keys.js"), ...args], { env }, (error, out, err) =>
      resolve({ code: error ? 1 : 0, out, err }),
    );
  });

interface Running {
  process: ChildProcess;
  port: number;
  url: string;
}
async function start(dataDir: string): Promise<Running> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  const child = spawn(process.execPath, [join(dist, "main.js")], {
    env: { ...process.env, DATA_DIR: dataDir, DATABASE_URL: "", PORT: String(port) },
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  for await (const line of child.stdout) if (String(line).includes('"listening"')) break;
  return { process: child, port, url: `http://127.0.0.1:${port}/people` };
}

const post = async <Body>(url: string, authorization: string, body: unknown): Promise<Body> => {
  const response = await fetch(url, {
    method: "POST",
    headers: { authorization },
    body: JSON.stringify(body),
  });
  return (await response.json()) as Body;
};

test("keys are made, listed, revoked and restored by command", async () => {
  const folder = await dataFolder();
  const made = await keys(folder, "create", "--scope", "people:read", "--scope", "people:manage");
  const [, id, key] = /^id {3}(\S+)\nkey {2}(\S+)\n$/.exec(made.out) ?? [];
  expect(key).toMatch(/^[\w-]{43}$/);
  expect((await keys(folder, "revoke", id!)).out).toBe("revoked\n");
  expect((await keys(folder, "list")).out).toMatch(
    new RegExp(`^${id} {2}people:read,people:manage .*revoked`),
  );
  expect((await keys(folder, "restore", key!)).out).toBe("restored\n");
  expect(await keys(folder, "revoke", "nonsense")).toMatchObject({ code: 1, err: "There is no such key.\n" });
  expect(await keys(folder, "create")).toMatchObject({ code: 1, err: expect.stringContaining("--scope") });
});

test("killed and started again, the service knows what it acknowledged", async () => {
  const folder = await dataFolder();
  const key = /key {2}(\S+)/.exec((await keys(folder, "create", "--scope", "web:tracking:sdk")).out)?.[1];
  const first = await start(folder);
  expect(await keys(folder, "list")).toMatchObject({
    code: 1,
    err: expect.stringContaining("in use by another"),
  });
  const profile = { kind: "visitor", id: "5f0c6ef5-1d5c-4b6c-9d8e-3f1a2b3c4d5e" };
  const { token } = await post<{ token: string }>(`${first.url}/v1/registrations`, `App ${key}`, { profile });
  const batch = {
    id: "batch",
    sentAt: new Date().toISOString(),
    sdk: "test",
    operations: [pageView(Date.now())],
  };
  const send = ({ url }: Running) => post(`${url}/v1/batches`, `Bearer ${token}`, batch);
  expect(await send(first)).toMatchObject({ results: [{ status: "accepted" }] });
  const exited = once(first.process, "exit");
  first.process.kill("SIGKILL");
  await exited;
  expect(await send(await start(folder))).toMatchObject({ results: [{ status: "duplicate" }] });
});

test("on SIGTERM what is under way is answered, nothing new is accepted, and the service ends", async () => {
  const service = await start(await dataFolder());
  const exited = once(service.process, "exit");
  const underWay = request(`${service.url}/v1/live-chat/sessions`, {
    method: "POST",
    headers: { "content-length": 2 },
  });
  const answered = once(underWay, "response");
  underWay.write("{");
  // The other request shows that the first has arrived.
  await fetch(`${service.url}/healthz`);
  service.process.kill("SIGTERM");
  for (;;) if (!(await fetch(`${service.url}/healthz`).catch(() => null))) break;
  underWay.end("}");
  const [response] = await answered;
  expect((response as { statusCode: number }).statusCode).toBe(201);
  (response as NodeJS.ReadableStream).resume();
  expect(await exited).toEqual([0, null]);
});
