import * as v from "valibot";
import type { DatabaseOptions } from "./database.js";
import { checkWidget, type Widget } from "./widget-jwt.js";

/** What the environment says of the service; see the README. */
export interface Configuration {
  host: string;
  port: number;
  requestTimeoutMs: number;
  database: DatabaseOptions;
  corsOrigins: string[];
  widgets: Widget[];
  logLevel: string;
}

const widgetsSchema = v.array(
  v.object({
    id: v.string(),
    keys: v.array(v.object({ id: v.string(), secret: v.string() })),
    maxJwtLifetimeMs: v.exactOptional(v.number()),
  }),
);

export function readConfiguration(environment: NodeJS.ProcessEnv): Configuration {
  const { HOST, PORT, REQUEST_TIMEOUT_MS, DATABASE_URL, DATABASE_CONNECTIONS, DATA_DIR } = environment;
  const { CORS_ORIGINS, WIDGETS, LOG_LEVEL } = environment;
  return {
    host: HOST || "127.0.0.1",
    port: readNumber("PORT", PORT, 8080, 65_535),
    requestTimeoutMs: readNumber("REQUEST_TIMEOUT_MS", REQUEST_TIMEOUT_MS, 30_000, 600_000) || 30_000,
    database: DATABASE_URL
      ? {
          url: DATABASE_URL,
          connections: readNumber("DATABASE_CONNECTIONS", DATABASE_CONNECTIONS, 10, 10_000),
        }
      : { dataDir: DATA_DIR || "data" },
    corsOrigins: (CORS_ORIGINS ?? "")
      .split(",")
      .map((origin) => origin.trim())
      .filter(Boolean),
    widgets: readWidgets(WIDGETS),
    logLevel: LOG_LEVEL || "info",
  };
}

function readNumber(name: string, text: string | undefined, otherwise: number, max: number): number {
  const number = text ? Number(text) : otherwise;
  if (!Number.isInteger(number) || number < 0 || number > max)
    throw new Error(`${name} must be a number up to ${max}.`);
  return number;
}

function readWidgets(text: string | undefined): Widget[] {
  const widgets = parseWidgets(text || "[]");
  widgets.forEach(checkWidget);
  return widgets;
}

function parseWidgets(text: string): Widget[] {
  try {
    return v.parse(widgetsSchema, JSON.parse(text));
  } catch {
    // Without the text itself, which holds secrets.
    throw new Error('WIDGETS must be JSON: [{"id": "…", "keys": [{"id": "…", "secret": "…"}]}].');
  }
}
