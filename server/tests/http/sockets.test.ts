import { connect, type Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { newClients, newPlace, send, timelineIds } from "../support/load.js";
import { pageView } from "../support/operations.js";
import { preparedFolder } from "../support/prepared-folder.js";
import { runService, type ServiceProcess } from "../support/run-service.js";

const SHORT_MS = 1_500;
/** Concurrent slow connections of each kind. */
const SLOW = 40;

const open = ({ port }: ServiceProcess, bytes: string | Uint8Array = ""): Socket => {
  const socket = connect(port, "127.0.0.1");
  // A reset by the service is a valid end, too.
  socket.on("error", () => undefined);
  socket.write(bytes);
  return socket;
};

/** Reads until there are so many responses, or the service closes the connection. */
const answersOn = (socket: Socket, count = 1): Promise<{ statuses: number[]; text: string }> =>
  new Promise((resolve) => {
    let text = "";
    const finish = (isClosed: boolean) => {
      const statuses = [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
      if (!isClosed && statuses.filter((status) => status >= 200).length < count) return;
      socket.destroy();
      resolve({ statuses, text });
    };
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      finish(false);
    });
    socket.on("close", () => finish(true));
  });

const each = <Value>(make: () => Value): Value[] => Array.from({ length: SLOW }, make);

const PATH = "/people/v1/live-chat/sessions";
const post = (headers: string, body = "{}"): string =>
  `POST ${PATH} HTTP/1.1\r\nHost: x\r\n${headers}\r\n\r\n${body}`;
const get = (headers: string, target = "/people/healthz"): string =>
  `GET ${target} HTTP/1.1\r\n${headers}\r\n\r\n`;

const LIES: readonly (readonly [string, string | Uint8Array])[] = [
  ["a length that is longer than the body", post("Content-Length: 10")],
  ["a length that is shorter than the body", post("Content-Length: 2", "{}{}")],
  ["a negative length", post("Content-Length: -5")],
  ["a length beyond all numbers", post("Content-Length: 99999999999999999999999")],
  ["two lengths", post("Content-Length: 2\r\nContent-Length: 3")],
  ["a length and chunks", post("Content-Length: 2\r\nTransfer-Encoding: chunked", "2\r\n{}\r\n0\r\n\r\n")],
  ["a length with a space before its colon", post("Content-Length : 2")],
  ["a chunk whose size is no number", post("Transfer-Encoding: chunked", "ZZ\r\n{}\r\n0\r\n\r\n")],
  ["a chunk whose size is beyond all numbers", post("Transfer-Encoding: chunked", `${"F".repeat(18)}\r\n{}`)],
  ["chunks that never end", post("Transfer-Encoding: chunked", "2\r\n{}\r\n")],
  ["a header of 100 KB", get(`Host: x\r\nX: ${"a".repeat(100_000)}`)],
  ["3,000 headers", get(`Host: x${Array.from({ length: 3000 }, (_, n) => `\r\nx${n}: y`).join("")}`)],
  ["an address of 100 KB", get("Host: x", `/people/${"a".repeat(100_000)}`)],
  ["no host", get("X: y")],
  ["a host that is none", get("Host: [::")],
  ["an address that is none", get("Host: x", "http://[::/people/healthz")],
  ["a path without its slash", get("Host: x", "people/healthz")],
  ["a NUL in a header", get("Host: x\r\nAuthorization: App \0")],
  ["bytes in a path that are not ASCII", Buffer.from(get("Host: x", "/people/\u{ff}\u{fe}"), "latin1")],
  [
    "bytes in a credential that are not ASCII",
    Buffer.from(get("Host: x\r\nAuthorization: App \u{ff}", "/people/v1/persons"), "latin1"),
  ],
  ["a way into another network", "CONNECT evil.example:443 HTTP/1.1\r\nHost: x\r\n\r\n"],
  ["an expectation that nobody knows", post("Expect: nonsense\r\nContent-Length: 2")],
  ["HTTP/0.9", "GET /people/healthz\r\n\r\n"],
  ["HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
  ["TLS", new Uint8Array([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc])],
  ["nothing but line ends", "\r\n\r\n\r\n"],
];

const start = async () =>
  runService({ DATA_DIR: await preparedFolder() }, { REQUEST_TIMEOUT_MS: String(SHORT_MS) });

describe("raw connections", () => {
  test("malformed requests are refused or disconnected, and others are served", async () => {
    const service = await start();
    const answers = await Promise.all(
      LIES.map(async ([name, bytes]) => [name, (await answersOn(open(service, bytes), 9)).statuses] as const),
    );
    const wrong = answers.filter(([, statuses]) => statuses.some((status) => status < 400 || status >= 500));
    // The body was complete, and the bytes after it are an invalid second request.
    expect(wrong.filter(([name]) => name !== "a length that is shorter than the body")).toEqual([]);
    expect((await fetch(`${service.url}/healthz`)).status).toBe(200);
  });

  test("requests that arrive too slowly are disconnected at the timeout, and others are served meanwhile", async () => {
    const service = await start();
    const dribble = (first: string) => {
      const socket = open(service, first);
      const timer = setInterval(() => socket.write("a"), 50);
      socket.on("close", () => clearInterval(timer));
      return socket;
    };
    const sockets = [
      ...each(() => open(service)),
      ...each(() => open(service, "GET /people/healthz HTTP/1.1\r\nHo")),
      ...each(() => dribble("GET /people/healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ")),
      ...each(() => dribble(post("Content-Length: 60000", ""))),
      ...each(() => open(service, post("Content-Length: 60000", "{"))),
    ];
    const ends = Promise.all(sockets.map((socket) => answersOn(socket, 9)));
    let served = 0;
    while (sockets.some(({ closed }) => !closed)) {
      expect((await fetch(`${service.url}/healthz`)).status).toBe(200);
      served++;
    }
    expect(served).toBeGreaterThan(0);
    expect(new Set((await ends).flatMap(({ statuses }) => statuses))).toEqual(new Set([408]));
  });

  test("pipelined requests are answered in their order and applied exactly once", async () => {
    const { place, trackingKey, adminKey } = await newPlace("PGlite");
    const service = await runService(place);
    const [client] = await newClients(service.url, trackingKey, 1);
    const operation = { ...pageView(Date.now()), id: "pipelined" };
    const body = JSON.stringify({
      id: "batch",
      sentAt: new Date().toISOString(),
      sdk: "test",
      operations: [operation],
    });
    const request = `POST /people/v1/batches HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${client!.token}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const bytes = `${request.repeat(20)}${get("Host: x", "/people/nothing")}${request}`;
    const { statuses, text } = await answersOn(open(service, bytes), 22);
    expect(statuses).toEqual([...Array.from({ length: 20 }, () => 200), 404, 200]);
    expect(text.match(/accepted/g)).toHaveLength(1);
    expect(text.match(/duplicate/g)).toHaveLength(20);
    expect(await timelineIds(service.url, adminKey, client!)).toEqual(["pipelined"]);
    await send(service.url, client!, [pageView(Date.now())]);
  });

  test("on SIGTERM a connection without a request is closed immediately", async () => {
    // No connection reaches the timeout within this test.
    const service = await runService({ DATA_DIR: await preparedFolder() }, { REQUEST_TIMEOUT_MS: "600000" });
    const sockets = [open(service), open(service, "GET /people/healthz HTTP/1.1\r\nHo")];
    const ends = Promise.all(sockets.map((socket) => answersOn(socket, 9)));
    // The service has accepted the earlier connections by then.
    await answersOn(open(service, get("Host: x")));
    service.process.kill("SIGTERM");
    expect(await service.exited).toEqual([0, null]);
    await ends;
  });

  test("on SIGTERM a slow body is awaited until its timeout", async () => {
    const service = await start();
    const slow = open(service, post("Content-Length: 10", "{"));
    const end = answersOn(slow, 9);
    await answersOn(open(service, get("Host: x")));
    service.process.kill("SIGTERM");
    expect(await service.exited).toEqual([0, null]);
    await end;
  });
});
