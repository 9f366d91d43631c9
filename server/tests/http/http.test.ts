import { describe, expect, test } from "vitest";
import { pageView } from "../support/operations.js";
import { onEachDriver, sharedService, START, startService } from "../support/start-service.js";

const ORIGIN = "https://shop.example";

describe("HTTP responses", () => {
  onEachDriver((driver) => {
    const shared = sharedService(driver, { corsOrigins: [ORIGIN] });

    test("a preflight of a configured origin names the wire's headers and no others", async () => {
      const { status, headers } = await shared().call("OPTIONS", "/v1/batches", {
        headers: {
          origin: ORIGIN,
          "access-control-request-method": "POST",
          "access-control-request-headers": "authorization,content-type",
        },
      });
      expect(status).toBe(204);
      expect(headers.get("access-control-allow-origin")).toBe(ORIGIN);
      expect(headers.get("access-control-allow-headers")?.split(/, ?/)).toEqual([
        "Authorization",
        "Content-Type",
        "Content-Encoding",
        "If-None-Match",
      ]);
      expect(headers.get("access-control-max-age")).toBe("7200");
      expect(headers.get("access-control-allow-credentials")).toBeNull();
    });

    test("answers, errors among them, are for configured origins alone, with Retry-After and ETag exposed", async () => {
      for (const origin of [ORIGIN, "https://evil.example"]) {
        const { status, headers } = await shared().call("POST", "/v1/batches", {
          headers: { origin },
          body: {},
        });
        expect(status).toBe(401);
        expect(headers.get("access-control-allow-origin")).toBe(origin === ORIGIN ? ORIGIN : null);
        expect(headers.get("vary")).toMatch(/origin/i);
        expect(headers.get("access-control-expose-headers")?.split(/, ?/)).toEqual(["Retry-After", "ETag"]);
      }
    });

    test("responses forbid sniffing and caching", async () => {
      const { headers } = await shared().call("GET", "/healthz");
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("cache-control")).toBe("no-store");
    });

    test("an unknown route has the error body too", async () => {
      for (const [method, path] of [
        ["GET", "/v1/nothing"],
        ["GET", "/v1/batches"],
        ["PATCH", "/v1/persons/%00"],
        ["GET", "/%ff"],
      ] as const) {
        const { status, body } = await shared().call(method, path);
        expect([status, body]).toMatchObject([
          404,
          { error: { name: "NotFoundError", origin: "people-service", platform: "people-service" } },
        ]);
      }
    });

    test("metrics are exposed for Prometheus", async () => {
      const subject = shared();
      const { write } = await subject.visitor();
      await subject.send(write, [pageView(START), { id: "x", type: "x" }]);
      const { body } = await subject.call<string>("GET", "/metrics");
      expect(body).toMatch(/people_operations_total\{status="accepted"\} [1-9]/);
      expect(body).toMatch(/people_operations_total\{status="rejected"\} [1-9]/);
      expect(body).toMatch(/method="POST",route="\/people\/v1\/batches",status="200"/);
    });

    test("a flood for one profile is a 429 with Retry-After, while others are served", async () => {
      const subject = await startService(driver, {
        limits: { batchesPerMinute: 3, registrationsPerMinute: 5 },
      });
      const [flooding, other] = [await subject.visitor(), await subject.visitor()];
      const post = async (write: string) =>
        subject.call("POST", "/v1/batches", { authorization: `Bearer ${write}`, body: {} });
      const statuses = [];
      for (let index = 0; index < 4; index++) statuses.push((await post(flooding.write)).status);
      expect(statuses).toEqual([400, 400, 400, 429]);
      // Another registration of the same profile does not help.
      const again = await post(await subject.register({ kind: "visitor", id: flooding.id }));
      expect(again).toMatchObject({ status: 429, body: { error: { name: "TooManyRequestsError" } } });
      expect(Number(again.headers.get("retry-after"))).toBeGreaterThan(0);
      expect((await post(other.write)).status).toBe(400);
    });
  });
});
