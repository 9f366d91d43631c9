import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../../src/protocol/wire.js";
import { onEachDriver, signJwt, START, startService, type Subject } from "../support/start-service.js";

interface Route {
  responses: Record<string, unknown>;
  security: Record<string, unknown>[];
  requestBody?: object;
}
type Request = Parameters<Subject["call"]>[2] & { path: string };

/** How a valid request is changed to cause a status; `null` if no request can cause it. */
const WAYS: Record<string, ((request: Request, subject: Subject) => Request | Promise<Request>) | null> = {
  304: (request) => ({ ...request, headers: { "if-none-match": "*" } }),
  400: (request) =>
    request.body === undefined ? { ...request, path: `${request.path}?limit=0` } : { ...request, raw: "{" },
  401: ({ authorization: _, ...request }) =>
    request.path.endsWith("/authenticate") ? { ...request, body: { jwt: "x" } } : request,
  403: async (request, { service }) => {
    const other = request.path.endsWith("/registrations") ? "people:read" : "web:tracking:sdk";
    const { key } = await service.keys.create({ scopes: [other] });
    return { ...request, authorization: `App ${key}` };
  },
  404: (request) => ({ ...request, path: request.path.replace(/[\da-f-]{36}/, randomUUID()) }),
  413: (request) => ({ ...request, raw: " ".repeat(LIMITS.batchBytes + 1) }),
  415: (request) => ({ ...request, headers: { "content-encoding": "br" } }),
  // A second request within the minute, with a wrong credential if the route needs one.
  429: ({ authorization, ...request }) => ({
    ...request,
    address: "192.0.2.1",
    ...(authorization && { authorization: `${authorization}x` }),
  }),
  500: null,
  503: (request) => request,
};
/** These routes do not query the database. */
const WITHOUT_DATABASE = ["/people/livez", "/people/metrics", "/people/openapi.json"];

async function goodRequest(path: string, { security }: Route, subject: Subject): Promise<Request> {
  const lead = await subject.lead();
  const id = path.includes("/persons") ? lead.person.id : "bought";
  const bodies: Record<string, unknown> = {
    "/people/v1/registrations": { profile: { kind: "visitor", id: lead.person.id } },
    "/people/v1/batches": { id: "batch", sentAt: "2026-03-01T12:00:00.000Z", sdk: "test", operations: [] },
    "/people/v1/definitions/{id}": { properties: {} },
    "/people/v1/live-chat/sessions/authenticate": { jwt: await signJwt(START) },
  };
  const scheme = Object.keys(security[0] ?? {})[0];
  const appKey = path.endsWith("/registrations") ? subject.trackingKey : subject.adminKey;
  return {
    path: path.replace("/people", "").replace("{id}", id),
    body: bodies[path] ?? {},
    ...(scheme && {
      authorization:
        { apiKey: `App ${appKey}`, registration: `Bearer ${lead.write}` }[scheme] ?? `Bearer ${lead.token}`,
    }),
  };
}

describe("statuses in the OpenAPI document", () => {
  onEachDriver((driver) => {
    test("every status that the document lists is answered, each with what brings it about", async () => {
      const subject = await startService(driver, {
        limits: { failedAuthenticationsPerMinute: 1, chatsPerMinute: 1 },
      });
      const { body } = await subject.call<{ paths: Record<string, Record<string, Route>> }>(
        "GET",
        "/openapi.json",
      );
      const afterwards: (() => Promise<void>)[] = [];
      for (const [path, methods] of Object.entries(body.paths))
        for (const [method, route] of Object.entries(methods))
          for (const status of Object.keys(route.responses).filter((code) => !code.startsWith("2"))) {
            const way = WAYS[status];
            expect(way, status).toBeDefined();
            if (!way || (status === "503" && WITHOUT_DATABASE.includes(path))) continue;
            const { body: content, ...good } = await goodRequest(path, route, subject);
            const { path: asked, ...init } = await way(
              { ...good, ...(route.requestBody && { body: content }) },
              subject,
            );
            const check = async (): Promise<void> => {
              const call = () => subject.call(method.toUpperCase(), asked, init);
              if (status === "429") await call();
              expect((await call()).status, `${method} ${asked}`).toBe(Number(status));
            };
            if (status === "503") afterwards.push(check);
            else await check();
          }
      await subject.service.close();
      expect(afterwards).toHaveLength(12);
      for (const check of afterwards) await check();
    });
  });
});
