/** The transport against a real server, as far as Node's fetch is a browser's. */
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import { afterEach, describe, expect, test, vi } from "vitest";
import { FetchTransport } from "../../src/adapters/fetch-transport.js";
import type { WireAnswer } from "../../src/core/ports.js";

const NOW = Date.UTC(2026, 0, 5, 12);
let server: Server | undefined;

afterEach(() => {
  vi.useRealTimers();
  server?.closeAllConnections();
  server?.close();
});

const listen = async (
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<string> => {
  const started = createServer(handle);
  server = started;
  await new Promise<void>((resolve) => void started.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(started.address() as AddressInfo).port}`;
};
/** One event, as it travels alone. */
const LONE_EVENT = JSON.stringify({
  id: "2b1c8f0e-5a3d-4f7b-9e21-6c0d8a4b7f13",
  sentAt: "2026-01-05T12:00:00.000Z",
  sdk: "people-tracking-sdk/1.0.0",
  operations: [
    {
      id: "k3j9x0a2b4c6d8e1-7",
      type: "event",
      occurredAt: "2026-01-05T11:59:59.000Z",
      sessionId: "0f3a9c5e7b1d2f4a6c8e0b2d",
      definitionId: "action",
      properties: { name: "Button clicked", label: "add-to-favorites" },
      page: { url: "https://shop.example/kites?colour=red", title: "Kites" },
    },
  ],
});
const transport = () => new FetchTransport({ now: () => NOW });
const get = (url: string): Promise<WireAnswer> => transport().send({ method: "GET", url, headers: {} });

describe("the fetch transport", () => {
  test("an answer is its status, its JSON and its ETag", async () => {
    const url = await listen((_, response) => response.writeHead(201, { ETag: '"1"' }).end('{"a":1}'));
    expect(await get(url)).toEqual({ status: 201, body: { a: 1 }, etag: '"1"' });
  });

  test("what is not JSON has no body", async () => {
    const url = await listen((_, response) => response.end("<html>Sign in to the café's network"));
    expect(await get(url)).toEqual({ status: 200, body: undefined });
  });

  test.each([
    ["120", 120_000],
    [" 0 ", 0],
    [new Date(NOW + 90_000).toUTCString(), 90_000],
    [new Date(NOW - 90_000).toUTCString(), 0],
    ["99999999999", 365 * 24 * 60 * 60 * 1000],
    ["soon", undefined],
  ])("Retry-After %o is %o ms", async (value, ms) => {
    const url = await listen((_, response) => response.writeHead(429, { "Retry-After": value }).end("{}"));
    expect((await get(url)).retryAfterMs).toBe(ms);
  });

  test("a redirect, half a body, a closed connection and no server at all are no answer", async () => {
    const url = await listen((request, response) => {
      if (request.url === "/redirect") return response.writeHead(302, { Location: "/else" }).end();
      if (request.url === "/half") {
        response.writeHead(200, { "Content-Length": "100" }).write('{"results":');
        return setTimeout(() => response.destroy(), 5);
      }
      return request.socket.destroy();
    });
    for (const path of ["/redirect", "/half", "/closed"])
      expect(await get(url + path)).toEqual({ status: 0 });
    expect(await get("http://127.0.0.1:1/")).toEqual({ status: 0 });
  });

  test("a body is compressed where it may be and that saves bytes, and all say that they are JSON", async () => {
    const seen: { headers: IncomingMessage["headers"]; body: Buffer }[] = [];
    const url = await listen((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        seen.push({ headers: request.headers, body: Buffer.concat(chunks) });
        response.end("{}");
      });
    });
    const long = JSON.stringify({ text: "ü".repeat(5_000) });
    const post = (body: string, mayCompress?: boolean) =>
      transport().send({
        method: "POST",
        url,
        headers: { Authorization: "Bearer t" },
        body,
        ...(mayCompress !== undefined && { mayCompress }),
      });
    expect(await post(long, true)).toEqual({ status: 200, body: {}, compressed: true });
    expect(await post(LONE_EVENT, true)).toEqual({ status: 200, body: {}, compressed: true });
    for (const [body, mayCompress] of [["{}", true], [long, false], [long]] as const) {
      expect(await post(body, mayCompress)).toEqual({ status: 200, body: {} });
    }
    expect(seen[0]?.headers).toMatchObject({
      authorization: "Bearer t",
      "content-type": "application/json",
      "content-encoding": "gzip",
    });
    expect(gunzipSync(seen[0]!.body).toString()).toBe(long);
    expect(gunzipSync(seen[1]!.body).toString()).toBe(LONE_EVENT);
    expect(seen[1]!.body.length + "Content-Encoding: gzip\r\n".length).toBeLessThan(LONE_EVENT.length);
    expect(seen.slice(2).map(({ headers }) => headers["content-encoding"])).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(seen.slice(2).map(({ body }) => body.toString())).toEqual(["{}", long, long]);
  });

  test("abortAll ends every request under way, and says that it was cut off", async () => {
    let arrived = 0;
    const url = await listen(() => (arrived += 1));
    const one = transport();
    const answers = [1, 2].map(() => one.send({ method: "GET", url, headers: {} }));
    await vi.waitUntil(() => arrived === 2);
    one.abortAll();
    expect(await Promise.all(answers)).toEqual([
      { status: 0, cutOff: true },
      { status: 0, cutOff: true },
    ]);
  });

  test("an answer is given up on after 30 s", async () => {
    let arrive: () => void;
    const arrived = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    const url = await listen(() => arrive());
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const answer = get(url);
    await arrived;
    vi.advanceTimersByTime(30_000);
    expect(await answer).toEqual({ status: 0 });
  });
});
