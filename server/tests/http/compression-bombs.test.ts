import { readFileSync } from "node:fs";
import { brotliCompressSync, createGzip, deflateSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { newClients, newPlace, send } from "../support/load.js";
import { pageView } from "../support/operations.js";
import { runService } from "../support/run-service.js";

const MIB = 1024 * 1024;
const BOMBS = 100;
/** The largest size to which a body of 1 MiB decompresses. */
const UNPACKED_MIB = 1000;
/** The memory of 100 bodies of the allowed size, compressed and decompressed, with room for garbage; one bomb is double that. */
const MAX_GROWTH_MIB = 500;

/** The peak memory of a process in MiB, as Linux counts it. */
const peakOf = (pid: number): number =>
  Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;

/** Gzip of blanks, which JSON allows before a value, so that no parser could refuse them early. */
async function makeBomb(): Promise<Buffer> {
  const blanks = Buffer.alloc(MIB, " ");
  const gzip = createGzip({ level: 9 });
  const chunks: Buffer[] = [];
  gzip.on("data", (chunk: Buffer) => chunks.push(chunk));
  for (let index = 0; index < UNPACKED_MIB; index++)
    await new Promise<unknown>((resolve) => gzip.write(blanks, resolve));
  await new Promise((resolve) => {
    gzip.end(resolve);
  });
  return Buffer.concat(chunks);
}

const batch = (title: string) =>
  Buffer.from(
    JSON.stringify({
      id: "batch",
      sentAt: new Date().toISOString(),
      sdk: "test",
      operations: [pageView(Date.now(), { properties: { url: "", title, referrer: "" } })],
    }),
  );

describe("compressed bodies", () => {
  test.skipIf(process.platform !== "linux")(
    `${BOMBS} gzip bombs of ${UNPACKED_MIB} MiB each, all at once, are 413s that cost less memory than half of one`,
    { timeout: 120_000 },
    async () => {
      const bomb = await makeBomb();
      expect(bomb.length).toBeLessThan(MIB);
      const { place, trackingKey } = await newPlace("PGlite");
      // Room for all of them: otherwise most would be refused before decompression.
      const { url, process: service } = await runService(place, {
        LIMIT_BYTES_IN_FLIGHT: String(BOMBS * 2 * MIB),
        LIMIT_BYTES_IN_FLIGHT_PER_ADDRESS: String(BOMBS * 2 * MIB),
      });
      const [victim, other] = await newClients(url, trackingKey, 2);
      await send(url, victim!, [pageView(Date.now())]);

      const post = async (path: string, authorization: string, body: Buffer) => {
        const response = await fetch(`${url}${path}`, {
          method: "POST",
          headers: { authorization, "content-encoding": "gzip" },
          body: new Uint8Array(body),
        });
        await response.text();
        return response.status;
      };
      const before = peakOf(service.pid!);
      const statuses = await Promise.all([
        ...Array.from({ length: BOMBS / 2 }, () => post("/v1/batches", `Bearer ${victim!.token}`, bomb)),
        // Where anyone may post.
        ...Array.from({ length: BOMBS / 2 }, () => post("/v1/live-chat/sessions", "", bomb)),
      ]);
      const growth = peakOf(service.pid!) - before;
      console.log(
        `${BOMBS} bombs: ${Math.round(growth)} MiB above the ${Math.round(before)} MiB from before`,
      );
      expect(statuses).toEqual(Array.from({ length: BOMBS }, () => 413));
      expect(growth).toBeLessThan(MAX_GROWTH_MIB);
      await send(url, other!, [pageView(Date.now())]);
    },
  );

  test("only a single gzip encoding is accepted, and a broken one is a 400", async () => {
    const { place } = await newPlace("PGlite");
    const { url } = await runService(place);
    const post = async (encoding: string, body: Uint8Array) => {
      const response = await fetch(`${url}/v1/live-chat/sessions`, {
        method: "POST",
        headers: { "content-encoding": encoding },
        body: new Uint8Array(body),
      });
      return [encoding, response.status];
    };
    const json = Buffer.from("{}");
    const packed = gzipSync(json);
    const wrongSum = Buffer.from(packed);
    wrongSum[packed.length - 8]! ^= 1;
    expect(await Promise.all(["gzip", "GZIP", " gzip ", "x-gzip"].map((name) => post(name, packed)))).toEqual(
      [
        ["gzip", 201],
        ["GZIP", 201],
        [" gzip ", 201],
        ["x-gzip", 201],
      ],
    );
    for (const [encoding, body] of [
      ["br", brotliCompressSync(json)],
      ["deflate", deflateSync(json)],
      ["zstd", Buffer.from("28b52ffd0400110000007b7d", "hex")],
      ["compress", json],
      ["gzip, gzip", gzipSync(packed)],
      ["identity, gzip", packed],
      ["gzip;q=1", packed],
      ["__proto__", json],
    ] as const)
      expect(await post(encoding, body)).toEqual([encoding, 415]);
    for (const body of [
      gzipSync(packed),
      packed.subarray(0, packed.length - 1),
      packed.subarray(0, 5),
      wrongSum,
      Buffer.alloc(0),
      deflateSync(json),
    ])
      expect(await post("gzip", body)).toEqual(["gzip", 400]);
  });

  test("a body is read by its first bytes where a proxy decompressed it or dropped the header, with the same bounds", async () => {
    const { place, trackingKey } = await newPlace("PGlite");
    const { url } = await runService(place);
    const [client] = await newClients(url, trackingKey, 1);
    const post = async (encoding: string | undefined, body: Uint8Array) => {
      const response = await fetch(`${url}/v1/batches`, {
        method: "POST",
        headers: {
          authorization: `Bearer ${client!.token}`,
          ...(encoding !== undefined && { "content-encoding": encoding }),
        },
        body: new Uint8Array(body),
      });
      return [response.status, await response.text()] as const;
    };
    for (const encoding of ["gzip", "identity", "", undefined])
      for (const body of [batch("Shop"), gzipSync(batch("Shop"))])
        expect(await post(encoding, body)).toEqual([200, expect.stringContaining("accepted")]);
    for (const encoding of ["gzip", undefined]) {
      expect((await post(encoding, gzipSync(batch("x".repeat(MIB)))))[0]).toBe(413);
      expect((await post(encoding, batch("x".repeat(MIB))))[0]).toBe(413);
      expect((await post(encoding, Buffer.from([0x1f, 0x8b])))[0]).toBe(400);
      expect((await post(encoding, gzipSync(gzipSync(batch("Shop")))))[0]).toBe(400);
    }
  });
});
