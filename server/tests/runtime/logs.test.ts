import { connect } from "node:net";
import { pino } from "pino";
import { describe, expect, test } from "vitest";
import { listen } from "../support/listen.js";
import { startService } from "../support/start-service.js";

describe("the logs", () => {
  test("are one line of printable ASCII a request, however it is written", async () => {
    const lines: string[] = [];
    const logger = pino({ level: "trace" }, { write: (line: string) => void lines.push(line) });
    const subject = await startService("PGlite", { logger });
    const port = await listen(subject.service.fetch);
    const paths = [
      '/%0d%0a{"level":60,"msg":"forged"}',
      "/\u{9b}31m",
      "/%1b[31m",
      "/\u{e2}\u{80}\u{a8}",
      "/v1/persons/%00%0a",
      `/${"a".repeat(8000)}`,
      '/"},{"level":60}',
      "/\\n",
    ];
    const given = '\u{9b}31m"},{"level":60}\u{a0}';
    for (const path of paths)
      expect(
        await statusOf(
          port,
          `GET /people${path} HTTP/1.1\r\nHost: x\r\nAuthorization: App ${given}\r\nOrigin: ${given}`,
        ),
      ).toBeGreaterThanOrEqual(400);
    await subject.call("POST", "/v1/batches", { authorization: "Bearer x", raw: "\n" });
    const requests = lines.map((line) => JSON.parse(line) as { path?: string; msg: string });
    expect(requests.length).toBeGreaterThan(paths.length / 2);
    for (const [index, line] of lines.entries()) {
      expect(line).toMatch(/^[\x20-\x7e]+\n$/);
      expect(line.length).toBeLessThan(500);
      expect(requests[index]!.msg).toBe("request");
    }
  });
});

/** Sends a raw request head, one byte per character, and returns the status. */
async function statusOf(port: number, head: string): Promise<number> {
  const socket = connect(port, "127.0.0.1");
  socket.end(Buffer.from(`${head}\r\nConnection: close\r\n\r\n`, "latin1"));
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1]);
}
