import { pino } from "pino";
import { describe, expect, test } from "vitest";
import { addressReader } from "../../src/http/client-address.js";
import type { TrustProxy } from "../../src/index.js";
import { readConfiguration } from "../../src/runtime/configuration.js";
import { startService } from "../support/start-service.js";

/** The address by which a request is counted. */
const addressOf = (trustProxy: TrustProxy | undefined, remoteAddress?: string, forwarded?: string) =>
  addressReader(
    trustProxy,
    () => undefined,
  )({
    env: remoteAddress === undefined ? {} : { incoming: { socket: { remoteAddress } } },
    req: { header: () => forwarded },
  } as never);

describe("the address of a client", () => {
  test("is the socket's where no proxy is trusted, whatever the client sends", () => {
    for (const trustProxy of [undefined, 0, []])
      expect(addressOf(trustProxy, "192.0.2.1", "203.0.113.9")).toBe("192.0.2.1");
    expect(addressOf(1, undefined, "203.0.113.9")).toBeUndefined();
  });

  test("is as many proxies from the right as there are, whatever stands left of that", () => {
    const forwarded = "spoofed, 10.9.9.9,203.0.113.7 , 10.0.0.2";
    expect(addressOf(1, "10.0.0.1", forwarded)).toBe("10.0.0.2");
    expect(addressOf(2, "10.0.0.1", forwarded)).toBe("203.0.113.7");
    expect(addressOf(2, "10.0.0.1", "203.0.113.7")).toBe("203.0.113.7");
    expect(addressOf(2, "10.0.0.1")).toBe("10.0.0.1");
  });

  test("is the first from the right that is none of the proxies", () => {
    const proxies = ["10.0.0.0/8", "::1", "2001:db8:ffff::/48"];
    expect(addressOf(proxies, "10.0.0.1", "1.1.1.1, 203.0.113.7, 10.2.3.4")).toBe("203.0.113.7");
    expect(addressOf(proxies, "::ffff:10.0.0.1", "203.0.113.7")).toBe("203.0.113.7");
    expect(addressOf(proxies, "::1", "203.0.113.7, 2001:db8:ffff::5")).toBe("203.0.113.7");
    // The header of an untrusted peer is ignored.
    expect(addressOf(proxies, "203.0.113.8", "203.0.113.7")).toBe("203.0.113.8");
    expect(addressOf(proxies, "10.0.0.1", "10.0.0.3,10.0.0.2")).toBe("10.0.0.3");
  });

  test("is the proxy's where the proxy names none", () => {
    for (const forwarded of ["unknown", "_hidden", "", " ", "203.0.113.7, unknown", "1.2.3", "0x7f.1"])
      expect(addressOf(1, "10.0.0.1", forwarded)).toBe("10.0.0.1");
  });

  test("is read with a port", () => {
    expect(addressOf(1, "10.0.0.1", "203.0.113.7:51234")).toBe("203.0.113.7");
    expect(addressOf(1, "10.0.0.1", "[2001:db8::7]:51234")).toBe("2001:db8:0:0::/64");
  });

  test("is the network of 64 bits in IPv6, and the IPv4 address where it is one", () => {
    expect(addressOf(0, "2001:db8:0:1::1")).toBe(addressOf(0, "2001:db8:0:1:2:3:4:5"));
    expect(addressOf(0, "2001:db8:0:1::1")).not.toBe(addressOf(0, "2001:db8:0:2::1"));
    expect(addressOf(0, "::1")).toBe("0:0:0:0::/64");
    expect(addressOf(0, "fe80::1%eth0")).toBe("fe80:0:0:0::/64");
    expect(addressOf(0, "::ffff:192.0.2.1")).toBe("192.0.2.1");
    expect(addressOf(0, "::ffff:c000:201")).toBe("192.0.2.1");
  });
});

describe("a service", () => {
  test("counts a peer at ::1 like any other", async () => {
    const subject = await startService("PGlite", { limits: { chatsPerMinute: 1 } });
    const start = async () =>
      (await subject.call("POST", "/v1/live-chat/sessions", { body: {}, address: "::1" })).status;
    expect([await start(), await start()]).toEqual([201, 429]);
  });

  test("counts clients apart behind a proxy that it trusts, and one that writes other addresses as itself", async () => {
    const subject = await startService("PGlite", { limits: { chatsPerMinute: 2 }, trustProxy: 1 });
    const start = async (forwarded: string) =>
      (
        await subject.call("POST", "/v1/live-chat/sessions", {
          body: {},
          address: "10.0.0.1",
          headers: { "x-forwarded-for": forwarded },
        })
      ).status;
    const flood = [1, 2, 3].map((number) => start(`192.0.2.${number}, 203.0.113.7`));
    expect((await Promise.all(flood)).toSorted((a, b) => a - b)).toEqual([201, 201, 429]);
    expect(await start("203.0.113.8")).toBe(201);
  });

  test("warns about the first ignored X-Forwarded-For, unless it is configured that there is no proxy", async () => {
    const lines: string[] = [];
    const logger = pino({ level: "warn" }, { write: (line: string) => void lines.push(line) });
    const ask = async (options: object) => {
      const subject = await startService("PGlite", { logger, ...options });
      for (let count = 0; count < 2; count++)
        await subject.call("POST", "/v1/live-chat/sessions", {
          body: {},
          address: "10.0.0.1",
          headers: { "x-forwarded-for": "203.0.113.7" },
        });
    };
    await ask({ trustProxy: 0 });
    expect(lines).toEqual([]);
    await ask({});
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain("set TRUST_PROXY");
  });
});

const read = (text: string) => readConfiguration({ TRUST_PROXY: text }).trustProxy;

describe("the environment", () => {
  test("names the proxies by their number or their addresses", () => {
    expect(read("")).toBeUndefined();
    expect(read("0")).toBe(0);
    expect(read(" 2 ")).toBe(2);
    expect(read("10.0.0.0/8, ::1")).toEqual(["10.0.0.0/8", "::1"]);
    for (const wrong of [
      "-1",
      "true",
      "10.0.0.0/33",
      "10.0.0.0/",
      "10.0.0/8",
      "proxy.example",
      "10.0.0.1,",
      "::/129",
    ])
      expect(() => read(wrong), wrong).toThrow(/TRUST_PROXY must be a number of proxies/);
  });

  test("sets every limit, and nothing that is none", () => {
    const environment = {
      LIMIT_BODY_BYTES: "1000",
      LIMIT_OPERATIONS_PER_BATCH: "2",
      LIMIT_BATCHES_PER_MINUTE: "3",
      LIMIT_BATCHES_AT_ONCE: "4",
      LIMIT_BATCHES_AT_WORK: "5",
      LIMIT_REGISTRATIONS_PER_MINUTE: "6",
      LIMIT_REGISTRATIONS_PER_ADDRESS_PER_MINUTE: "7",
      LIMIT_CHATS_PER_MINUTE: "8",
      LIMIT_FAILED_AUTHENTICATIONS_PER_MINUTE: "9",
      LIMIT_BYTES_IN_FLIGHT: "10",
      LIMIT_BYTES_IN_FLIGHT_PER_ADDRESS: "11",
    };
    const configuration = readConfiguration({
      ...environment,
      MAX_CONNECTIONS: "12",
      ANSWER_TIMEOUT_MS: "13",
    });
    expect(configuration.limits).toEqual({
      bodyBytes: 1000,
      operationsPerBatch: 2,
      batchesPerMinute: 3,
      batchesAtOnce: 4,
      batchesAtWork: 5,
      registrationsPerMinute: 6,
      registrationsPerAddressPerMinute: 7,
      chatsPerMinute: 8,
      failedAuthenticationsPerMinute: 9,
      bytesInFlight: 10,
      bytesInFlightPerAddress: 11,
    });
    expect(configuration).toMatchObject({ maxConnections: 12, answerTimeoutMs: 13 });
    for (const wrong of ["0", "-1", "1.5", "1e3", "many", "9".repeat(20)])
      expect(() => readConfiguration({ LIMIT_BODY_BYTES: wrong }), wrong).toThrow(/LIMIT_BODY_BYTES must be/);
    expect(() => readConfiguration({ LIMIT_BODY_BITES: "1" })).toThrow(/LIMIT_BODY_BITES is no limit/);
  });
});
