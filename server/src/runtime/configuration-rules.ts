import { resolve } from "node:path";
import * as v from "valibot";
import { readTrustProxy, type TrustProxy } from "../http/client-address.js";
import { checkCorsOrigins } from "../http/cors-origins.js";
import { checkWidget, type Widget } from "../live-chat/widget-jwt.js";

/**
 * Parses one environment variable. It is called with `undefined` if the variable is unset or empty.
 *
 * @throws an Error whose message follows the variable's name, such as "must be a whole number"
 */
export type Rule<Value> = (text: string | undefined) => Value;

export const text =
  (otherwise: string): Rule<string> =>
  (given = otherwise) =>
    given;

export const integer =
  (otherwise: number, { min, max }: { min: number; max: number }): Rule<number> =>
  (given) => {
    if (given === undefined) return otherwise;
    const number = /^\d+$/.test(given) ? Number(given) : Number.NaN;
    if (!(number >= min && number <= max))
      throw new Error(`must be a whole number from ${min} to ${max}, not “${given}”`);
    return number;
  };

export const oneOf =
  <Value extends string>(otherwise: Value, values: readonly Value[]): Rule<Value> =>
  (given = otherwise) => {
    const value = values.find((value) => value === given);
    if (value === undefined) throw new Error(`must be one of ${values.join(", ")}, not “${given}”`);
    return value;
  };

/** An absolute path. Relative paths are resolved from the working directory. */
export const folder =
  (otherwise: string): Rule<string> =>
  (given) =>
    given === undefined ? otherwise : resolve(given);

export const postgresUrl: Rule<string | undefined> = (given) => {
  // The message does not quote the text, which contains a password.
  if (given !== undefined && !(/^postgres(ql)?:\/\//.test(given) && URL.canParse(given)))
    throw new Error("must be a URL such as postgres://user:password@host:5432/database");
  return given;
};

export const corsOrigins: Rule<string[]> = (given = "") => {
  const origins = given
    .split(",")
    .map((origin) => origin.trim())
    .filter(Boolean);
  try {
    checkCorsOrigins(origins);
  } catch (error) {
    throw new Error(`must be origins with commas between, or *: ${(error as Error).message}`, {
      cause: error,
    });
  }
  return origins;
};

export const trustProxy: Rule<TrustProxy | undefined> = (given) => {
  try {
    return readTrustProxy(given);
  } catch (error) {
    throw new Error(
      `must be a number of proxies, or addresses and networks with commas between: ${(error as Error).message}`,
      { cause: error },
    );
  }
};

const widgetsSchema = v.array(
  v.object({
    id: v.string(),
    keys: v.array(v.object({ id: v.string(), secret: v.string() })),
    maxJwtLifetimeMs: v.exactOptional(v.number()),
  }),
);

export const widgets: Rule<Widget[]> = (given = "[]") => {
  const parsed = parseWidgets(given);
  try {
    parsed.forEach(checkWidget);
  } catch (error) {
    throw new Error(`must be widgets that are safe to use: ${(error as Error).message}`, { cause: error });
  }
  return parsed;
};

function parseWidgets(given: string): Widget[] {
  try {
    return v.parse(widgetsSchema, JSON.parse(given));
  } catch {
    // The message does not quote the text, which contains secrets.
    throw new Error('must be JSON: [{"id": "…", "keys": [{"id": "…", "secret": "…"}]}]');
  }
}
