import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { request as startRequest, type IncomingMessage } from "node:http";
import { describe, expect, onTestFinished, test } from "vitest";
import { startHttpServer } from "../../src/http/http-server.js";
import { freePort } from "../support/free-port.js";
import { onEachDriver, startService, type Subject } from "../support/start-service.js";

const CHATS = "/v1/live-chat/sessions";

/** Sends a request over a socket, from an address of this machine. */
async function startChatFrom(localAddress: string, port: number) {
  const request = startRequest({ port, localAddress, method: "POST", path: `/people${CHATS}` }).end("{}");
  const [response] = (await once(request, "response")) as [IncomingMessage];
  response.resume();
  return { status: response.statusCode, retryAfter: Number(response.headers["retry-after"]) };
}

async function listen({ service }: Subject): Promise<number> {
  const port = await freePort();
  const { stop } = await startHttpServer(service.fetch, {
    host: "127.0.0.1",
    port,
    requestTimeoutMs: 30_000,
  });
  onTestFinished(stop);
  return port;
}

const visitor = () => ({ body: { profile: { kind: "visitor", id: randomUUID() } } });

describe("floods of chats, sign-ins and registrations", () => {
  onEachDriver((driver) => {
    test("a flood of new chats from one address is a 429 with Retry-After, while others start theirs", async () => {
      const port = await listen(await startService(driver, { limits: { chatsPerMinute: 3 } }));
      const statuses = [];
      for (let index = 0; index < 4; index++) statuses.push((await startChatFrom("127.0.0.1", port)).status);
      expect(statuses).toEqual([201, 201, 201, 429]);
      expect((await startChatFrom("127.0.0.1", port)).retryAfter).toBeGreaterThan(0);
      expect((await startChatFrom("127.0.0.2", port)).status).toBe(201);
    });
  });

  test("registrations are counted by address, new visitors' and others', before their bodies are received", async () => {
    const subject = await startService("PGlite", { limits: { registrationsPerAddressPerMinute: 2 } });
    const register = async (address: string, init: object) =>
      subject.call("POST", "/v1/registrations", {
        authorization: `App ${subject.trackingKey}`,
        address,
        ...init,
      });
    expect((await register("192.0.2.1", visitor())).status).toBe(200);
    expect((await register("192.0.2.1", { body: { profile: { kind: "lead", id: "x" } } })).status).toBe(403);
    const refused = await register("192.0.2.1", { raw: "not read" });
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect((await register("192.0.2.2", visitor())).status).toBe(200);
    // Requests without a key do not use up the limit of others behind the address.
    for (let count = 0; count < 3; count++)
      await subject.call("POST", "/v1/registrations", { authorization: "App x", address: "192.0.2.3" });
    expect((await register("192.0.2.3", visitor())).status).toBe(200);
  });

  test("sign-ins are counted beside chats, and the addresses of one IPv6 network together", async () => {
    const subject = await startService("PGlite", { limits: { chatsPerMinute: 2 } });
    const statusOf = async (path: string, address: string, body: unknown) =>
      (await subject.call("POST", path, { address, body })).status;
    for (const address of ["2001:db8:0:1::1", "2001:db8:0:1:2:3:4:5", "2001:db8:0:1::ffff"])
      expect(await statusOf(CHATS, address, {})).toBe(address.endsWith("ffff") ? 429 : 201);
    expect(await statusOf(CHATS, "2001:db8:0:2::1", {})).toBe(201);
    expect(await statusOf(CHATS, "::ffff:192.0.2.1", {})).toBe(201);

    const signIn = () => statusOf(`${CHATS}/authenticate`, "2001:db8:0:1::1", { jwt: "guessed" });
    expect([await signIn(), await signIn(), await signIn()]).toEqual([401, 401, 429]);
  });
});
