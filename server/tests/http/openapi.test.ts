import { Validator } from "@seriousme/openapi-schema-validator";
import { describe, expect, test } from "vitest";
import { startService } from "../support/start-service.js";

interface Document {
  openapi: string;
  paths: Record<string, Record<string, { responses: object; requestBody?: object; security: object[] }>>;
}

describe("the OpenAPI document", () => {
  test("the OpenAPI document is valid 3.1 and lists every route, each with its errors", async () => {
    const { service, call } = await startService("PGlite");
    const { status, body } = await call<Document>("GET", "/openapi.json");
    expect(status).toBe(200);
    expect(body.openapi).toBe("3.1.0");
    // The validator mutates its input.
    expect(await new Validator().validate(JSON.parse(JSON.stringify(body)))).toMatchObject({ valid: true });

    const listed = Object.entries(body.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const routes = service.app.routes
      .filter(({ method }) => method !== "ALL")
      .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`);
    expect(listed.toSorted()).toEqual([...new Set(routes)].toSorted());
    expect(listed).toHaveLength(15);

    for (const methods of Object.values(body.paths))
      for (const [method, operation] of Object.entries(methods)) {
        expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(["500", "503"]));
        expect("requestBody" in operation).toBe(method === "post" || method === "put");
      }
  });

  test("a batch is described by its operations", async () => {
    const { call } = await startService("PGlite");
    const { body } = await call<Document>("GET", "/openapi.json");
    const text = JSON.stringify(body.paths["/people/v1/batches"]?.["post"]?.requestBody);
    for (const type of ["event", "person.update", "list.append", "profile.merge"])
      expect(text).toContain(`{"const":"${type}"}`);
    // Case-insensitive, which a pattern of JSON Schema cannot express.
    expect(text).not.toContain("male|female");
  });

  test("a definition is described by the types that its properties may have", async () => {
    const { call } = await startService("PGlite");
    const { body } = await call<Document>("GET", "/openapi.json");
    const text = JSON.stringify(body.paths["/people/v1/definitions/{id}"]?.["put"]?.requestBody);
    expect(text).toContain('"properties":{"type":"object","additionalProperties":{"enum":["string",');
  });
});
