import { join } from "node:path";
import { POSTGRES_DEFAULTS, type DatabaseOptions } from "../database/database.js";
import type { TrustProxy } from "../http/client-address.js";
import { HTTP_DEFAULTS } from "../http/http-server.js";
import type { Limits } from "../http/limits.js";
import type { Widget } from "../live-chat/widget-jwt.js";
import { packageFolder } from "../package-folder.js";
import {
  corsOrigins,
  folder,
  integer,
  oneOf,
  postgresUrl,
  text,
  trustProxy,
  widgets,
  type Rule,
} from "./configuration-rules.js";
import { readLimits } from "./limit-variables.js";

/** Every environment variable of the service, with its default and its range. The README explains each. */
const VARIABLES = {
  HOST: text("127.0.0.1"),
  PORT: integer(8080, { min: 0, max: 65_535 }),
  REQUEST_TIMEOUT_MS: integer(30_000, { min: 1, max: 600_000 }),
  ANSWER_TIMEOUT_MS: integer(HTTP_DEFAULTS.answerTimeoutMs, { min: 1, max: 600_000 }),
  MAX_CONNECTIONS: integer(10_000, { min: 1, max: 1_000_000 }),
  TRUST_PROXY: trustProxy,
  SHUTDOWN_GRACE_MS: integer(10_000, { min: 0, max: 600_000 }),
  DATABASE_URL: postgresUrl,
  DATABASE_CONNECTIONS: integer(POSTGRES_DEFAULTS.connections, { min: 1, max: 10_000 }),
  DATABASE_TIMEOUT_MS: integer(POSTGRES_DEFAULTS.timeoutMs, { min: 100, max: 600_000 }),
  // In the package, so that the service and the command `keys` use the same folder in whichever directory they are started.
  DATA_DIR: folder(join(packageFolder, "data")),
  CORS_ORIGINS: corsOrigins,
  WIDGETS: widgets,
  LOG_LEVEL: oneOf("info", ["trace", "debug", "info", "warn", "error", "fatal", "silent"]),
} satisfies Record<string, Rule<unknown>>;

type Variables = { [Name in keyof typeof VARIABLES]: ReturnType<(typeof VARIABLES)[Name]> };

/** The configuration of the service, from its environment. */
export interface Configuration {
  host: string;
  port: number;
  requestTimeoutMs: number;
  answerTimeoutMs: number;
  maxConnections: number;
  limits: Partial<Limits>;
  /** Undefined if it is not set; the service then warns if a proxy seems to be in front. */
  trustProxy: TrustProxy | undefined;
  shutdownGraceMs: number;
  database: DatabaseOptions;
  corsOrigins: string[];
  widgets: Widget[];
  logLevel: string;
}

/** @throws an Error that names every variable with a wrong value, and what each must be */
export function readConfiguration(environment: NodeJS.ProcessEnv): Configuration {
  const { limits, ...variables } = readVariables(environment);
  return {
    host: variables.HOST,
    port: variables.PORT,
    requestTimeoutMs: variables.REQUEST_TIMEOUT_MS,
    answerTimeoutMs: variables.ANSWER_TIMEOUT_MS,
    maxConnections: variables.MAX_CONNECTIONS,
    trustProxy: variables.TRUST_PROXY,
    limits,
    shutdownGraceMs: variables.SHUTDOWN_GRACE_MS,
    database: variables.DATABASE_URL
      ? {
          url: variables.DATABASE_URL,
          connections: variables.DATABASE_CONNECTIONS,
          timeoutMs: variables.DATABASE_TIMEOUT_MS,
        }
      : { dataDir: variables.DATA_DIR },
    corsOrigins: variables.CORS_ORIGINS,
    widgets: variables.WIDGETS,
    logLevel: variables.LOG_LEVEL,
  };
}

function readVariables(environment: NodeJS.ProcessEnv): Variables & { limits: Partial<Limits> } {
  const problems: string[] = [];
  const values = Object.entries<Rule<unknown>>(VARIABLES).map(([name, rule]) => {
    try {
      return [name, rule(environment[name] || undefined)];
    } catch (error) {
      problems.push(`${name} ${(error as Error).message}.`);
      return [name, undefined];
    }
  });
  const limits = readLimits(environment, problems);
  if (problems.length) throw new Error(`The environment is wrong. ${problems.join(" ")}`);
  return { ...(Object.fromEntries(values) as Variables), limits };
}
