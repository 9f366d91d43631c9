import type { Hono } from "hono";
import { openAPIRouteHandler } from "hono-openapi";
import { describe, type JsonSchema } from "../http/describe-route.js";
import type { Metrics } from "./metrics.js";

const tag = "Running";
const statusSchema: JsonSchema = {
  type: "object",
  properties: { status: { type: "string" } },
  required: ["status"],
};

/** The routes for operators: health, metrics and the OpenAPI document. */
export function addRuntimeRoutes(
  app: Hono,
  { health, metrics }: { health: () => Promise<void>; metrics: Metrics },
): void {
  app.get(
    "/livez",
    describe({
      summary: "Whether the process answers; if it does not, restart it",
      tag,
      answer: { status: 200, description: "It does. The database was not queried.", schema: statusSchema },
      errors: [],
    }),
    (c) => c.json({ status: "ok" }),
  );
  app.get(
    "/healthz",
    describe({
      summary: "Whether the service and its database answer; if they do not, send it no requests",
      tag,
      answer: { status: 200, description: "They do. The database was queried.", schema: statusSchema },
      errors: [],
    }),
    async (c) => {
      await health();
      return c.json({ status: "ok" });
    },
  );
  app.get(
    "/metrics",
    describe({
      summary: "Metrics for Prometheus",
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
