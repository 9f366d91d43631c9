import { describe, expect, test } from "vitest";
import { limitBytesInFlight, REQUEST_BYTES } from "../../src/http/bytes-in-flight.js";
import { resolveLimits } from "../../src/http/limits.js";
import { pageView } from "../support/operations.js";
import { iso, START, startService, type Subject } from "../support/start-service.js";

const KIB = 1024;
const refusal = (status: number) => expect.objectContaining({ status, headers: { "Retry-After": "1" } });

describe("bytes in flight", () => {
  test("are released when the work settles, however it settles", async () => {
    const inFlight = limitBytesInFlight(REQUEST_BYTES + 10, 1e9);
    const use = (bytes: number) => inFlight("a", async (take) => take(bytes));
    await use(10);
    await expect(use(11)).rejects.toEqual(refusal(503));
    await expect(inFlight("a", () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
    await use(10);
  });

  test("of one address are a 429, while others have room", async () => {
    const inFlight = limitBytesInFlight(1e9, REQUEST_BYTES + 10);
    let end: (() => void) | undefined;
    const held = inFlight("a", async (take) => {
      take(10);
      await new Promise<void>((resolve) => {
        end = resolve;
      });
    });
    await expect(inFlight("a", async () => undefined)).rejects.toEqual(refusal(429));
    await inFlight("b", async (take) => take(10));
    // Without an HTTP server there is no address.
    await inFlight(undefined, async (take) => take(1000));
    end?.();
    await held;
    await inFlight("a", async (take) => take(10));
  });
});

/** A batch whose body ends on demand. */
async function startBatch(subject: Subject, write: string, bytes: number, address?: string) {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const answer = Promise.resolve(
    subject.service.fetch(
      new Request("http://service.test/people/v1/batches", {
        method: "POST",
        headers: { authorization: `Bearer ${write}` },
        body: readable,
        duplex: "half",
      }),
      address === undefined ? undefined : { incoming: { socket: { remoteAddress: address } } },
    ),
  );
  const writer = writable.getWriter();
  writer.closed.catch(() => undefined);
  // Resolves when the service has reserved the bytes, or has refused the request.
  await writer.write(new Uint8Array(bytes)).catch(() => undefined);
  return { answer, writer };
}

describe("a service whose room is full of bodies", () => {
  test("answers 503 with Retry-After without receiving more, and serves again once there is room", async () => {
    const subject = await startService("PGlite", {
      limits: { bodyBytes: 64 * KIB, bytesInFlight: 100 * KIB },
    });
    const [one, two] = [await subject.visitor(), await subject.visitor()];
    const slow = await startBatch(subject, one.write, 60 * KIB);
    const raw = JSON.stringify({ id: "b", sentAt: iso(START), sdk: "x".repeat(40 * KIB), operations: [] });
    const post = () => subject.call("POST", "/v1/batches", { authorization: `Bearer ${two.write}`, raw });
    // As it is announced, and as it comes.
    const announced = await subject.call("POST", "/v1/batches", {
      authorization: `Bearer ${two.write}`,
      raw,
      headers: { "content-length": String(raw.length) },
    });
    expect([announced.status, announced.headers.get("retry-after")]).toEqual([503, "1"]);
    expect(announced.body.error).toMatchObject({ code: 5031, name: "OverloadedError" });
    expect((await post()).status).toBe(503);
    expect(await subject.statuses(two.write, [pageView(START)])).toEqual(["accepted"]);
    await slow.writer.abort();
    expect((await slow.answer).status).toBe(400);
    expect((await post()).status).toBe(400);
  });

  test("refuses the address that fills its share, and serves others", async () => {
    const subject = await startService("PGlite", {
      limits: { bodyBytes: 64 * KIB, bytesInFlightPerAddress: 100 * KIB },
    });
    const { write } = await subject.visitor();
    const slow = [
      await startBatch(subject, write, 60 * KIB, "192.0.2.1"),
      await startBatch(subject, write, 60 * KIB, "192.0.2.1"),
    ];
    expect((await slow[1]!.answer).status).toBe(429);
    const other = await startBatch(subject, write, 60 * KIB, "192.0.2.2");
    for (const { writer } of [slow[0]!, other]) await writer.abort();
    expect((await other.answer).status).toBe(400);
  });
});

describe("limits of bytes in flight", () => {
  test("a limit that holds no body of the largest size is refused at the start", () => {
    for (const name of ["bytesInFlight", "bytesInFlightPerAddress"] as const)
      expect(() => resolveLimits({ [name]: 1000 }, {})).toThrow(`The limit ${name} is 1000`);
  });
});
