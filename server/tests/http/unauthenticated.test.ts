import { gzipSync } from "node:zlib";
import { describe, expect, test, vi } from "vitest";
import { newPlace } from "../support/load.js";
import { runService } from "../support/run-service.js";
import { onEachDriver, sharedService, startService, type Subject } from "../support/start-service.js";

interface Route {
  path: string;
  method: string;
  scheme: "App" | "Bearer";
  hasBody: boolean;
}

/** The routes that need a credential. */
async function securedRoutes(subject: Subject): Promise<Route[]> {
  const { body } = await subject.call<{
    paths: Record<string, Record<string, { security: object[]; requestBody?: object }>>;
  }>("GET", "/openapi.json");
  return Object.entries(body.paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, { security, requestBody }]) =>
      security[0]
        ? [
            {
              path: path.replace("/people", "").replace("{id}", "x"),
              method: method.toUpperCase(),
              scheme: "apiKey" in security[0] ? "App" : "Bearer",
              hasBody: requestBody !== undefined,
            } as const,
          ]
        : [],
    ),
  );
}

const ask = (subject: Subject, { path, method, hasBody }: Route, authorization: string, address: string) =>
  subject.call(method, path, { authorization, address, ...(hasBody && { raw: "[" }) });

describe("failed authentications of one address", () => {
  test("are a 429 with Retry-After on every route beyond the limit, and others are served", async () => {
    const subject = await startService("PGlite", { limits: { failedAuthenticationsPerMinute: 2 } });
    const routes = await securedRoutes(subject);
    expect(routes).toHaveLength(9);
    for (const [index, route] of routes.entries()) {
      const address = `192.0.2.${index}`;
      const statuses = [];
      for (let count = 0; count < 3; count++)
        statuses.push((await ask(subject, route, `${route.scheme} x${count}`, address)).status);
      expect(statuses).toEqual([401, 401, 429]);
      const refused = await ask(subject, route, `${route.scheme} x`, address);
      expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
      expect((await ask(subject, route, `${route.scheme} x`, "198.51.100.1")).status).toBe(
        index < 2 ? 401 : 429,
      );
    }
  });

  test("are counted while they are pending, so that concurrent attempts cannot bypass the limit", async () => {
    const subject = await startService("PGlite", { limits: { failedAuthenticationsPerMinute: 2 } });
    const statuses = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const init = { authorization: `Bearer x${index}`, address: "192.0.2.1" };
        return (await subject.call("GET", "/v1/definitions", init)).status;
      }),
    );
    expect(statuses.filter((status) => status === 401)).toHaveLength(2);
  });

  test("do not block recently valid credentials from the same address, and valid ones are not counted", async () => {
    const subject = await startService("PGlite", { limits: { failedAuthenticationsPerMinute: 2 } });
    const address = "192.0.2.1";
    const statusOf = async (token: string, from = address) =>
      (await subject.call("GET", "/v1/definitions", { authorization: `Bearer ${token}`, address: from }))
        .status;
    const writes = [];
    for (let count = 0; count < 5; count++) writes.push((await subject.visitor()).write);
    for (const write of writes.slice(0, 4)) expect(await statusOf(write)).toBe(200);
    for (const expected of [401, 401, 429]) expect(await statusOf("wrong")).toBe(expected);
    for (const write of writes.slice(0, 4)) expect(await statusOf(write)).toBe(200);
    // A credential that was never used before may be a guess.
    expect(await statusOf(writes[4]!)).toBe(429);
    expect(await statusOf(writes[4]!, "192.0.2.2")).toBe(200);
    expect(await statusOf(writes[4]!)).toBe(200);
  });

  test("are counted for a credential that was valid and no longer is", async () => {
    const subject = await startService("PGlite", { limits: { failedAuthenticationsPerMinute: 1 } });
    const { write } = await subject.visitor();
    const address = "192.0.2.1";
    const status = async () =>
      (await subject.call("GET", "/v1/definitions", { authorization: `Bearer ${write}`, address })).status;
    expect(await status()).toBe(200);
    await subject.service.keys.revoke(subject.trackingKey);
    expect([await status(), await status(), await status()]).toEqual([401, 401, 429]);
  });
});

describe("requests without a valid credential", () => {
  onEachDriver((driver) => {
    const shared = sharedService(driver);

    test("without a valid credential no byte of a body is received, on any route", async () => {
      const subject = shared();
      const routes = (await securedRoutes(subject)).filter(({ hasBody }) => hasBody);
      expect(routes).toHaveLength(3);
      for (const { path, method, scheme } of routes)
        for (const authorization of ["", "App", `${scheme} x`, "Basic eDp5"]) {
          const pull = vi.fn<() => Promise<void>>(() => new Promise<void>(() => undefined));
          const response = await subject.service.fetch(
            new Request(`http://service.test/people${path}`, {
              method,
              headers: { authorization },
              body: new ReadableStream({ pull }, { highWaterMark: 0 }),
              duplex: "half",
            }),
          );
          expect([response.status, await response.json()]).toMatchObject([401, { error: { code: 4010 } }]);
          expect(pull).not.toHaveBeenCalled();
        }
    });

    test("a key without the scope is refused before a body is received too", async () => {
      const subject = shared();
      const pull = vi.fn<() => Promise<void>>(() => new Promise<void>(() => undefined));
      for (const [path, method, key] of [
        ["/v1/registrations", "POST", subject.adminKey],
        ["/v1/definitions/x", "PUT", subject.trackingKey],
      ] as const) {
        const response = await subject.service.fetch(
          new Request(`http://service.test/people${path}`, {
            method,
            headers: { authorization: `App ${key}` },
            body: new ReadableStream({ pull }, { highWaterMark: 0 }),
            duplex: "half",
          }),
        );
        expect(response.status).toBe(403);
      }
      expect(pull).not.toHaveBeenCalled();
    });
  });

  test("over a socket, a request without a key is answered while its body never ends", async () => {
    const { place, trackingKey } = await newPlace("PGlite");
    const { url } = await runService(place);
    const post = (authorization: string, body: RequestInit["body"]) =>
      fetch(`${url}/v1/registrations`, {
        method: "POST",
        headers: { authorization },
        body: body ?? null,
        duplex: "half",
      });
    const endless = new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array([0x7b])) });
    expect((await post("App x", endless)).status).toBe(401);
    // Half a million nested arrays, in a kilobyte.
    const deep = gzipSync("[".repeat(500_000) + "]".repeat(500_000));
    expect(deep.length).toBeLessThan(1100);
    expect((await post("App x", new Uint8Array(deep))).status).toBe(401);
    const refused = await post(`App ${trackingKey}`, new Uint8Array(deep));
    expect(refused.status).toBe(413);
  });
});
