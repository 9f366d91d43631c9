import { sql } from "drizzle-orm";
import type { Hono } from "hono";
import { openAPIRouteHandler } from "hono-openapi";
import type { Backend } from "./app.js";
import { describe } from "./describe.js";

const tag = "Running";

/** What those who run the service look at. */
export function addOperationsRoutes(app: Hono, { db, metrics }: Backend): void {
  app.get(
    "/healthz",
    describe({
      summary: "Whether the service and its database answer",
      tag,
      answer: {
        status: 200,
        description: "They do.",
        schema: { type: "object", properties: { status: { type: "string" } }, required: ["status"] },
      },
      errors: [],
    }),
    async (c) => {
      await db.execute(sql`select 1`);
      return c.json({ status: "ok" });
    },
  );
  app.get(
    "/metrics",
    describe({
      summary: "Figures for Prometheus",
      tag,
      answer: {
        status: 200,
        description: "Prometheus' text format.",
        schema: { type: "string" },
        media: "text/plain",
      },
      errors: [],
    }),
    async (c) =>
      c.body(await metrics.registry.metrics(), 200, { "Content-Type": metrics.registry.contentType }),
  );
  app.get(
    "/openapi.json",
    describe({
      summary: "This document",
      tag,
      answer: { status: 200, description: "OpenAPI 3.1.", schema: { type: "object" } },
      errors: [],
    }),
    openAPIRouteHandler(app, {
      excludeStaticFile: false,
      documentation: {
        openapi: "3.1.0",
        info: {
          title: "People service",
          version: "1",
          description: "Registrations, batches, persons and Live Chat.",
        },
        components: {
          securitySchemes: {
            apiKey: {
              type: "apiKey",
              in: "header",
              name: "Authorization",
              description: "`App <key>`: a tracking key for registrations, an admin's key elsewhere.",
            },
            registration: { type: "http", scheme: "bearer", description: "A registration token." },
            liveChat: { type: "http", scheme: "bearer", description: "A Live Chat token." },
          },
        },
      },
    }),
  );
}
