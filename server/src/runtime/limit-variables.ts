import { DEFAULT_LIMITS, type Limits } from "../http/limits.js";
import { integer } from "./configuration-rules.js";

/** The largest 32-bit number is as good as no limit. */
const readLimit = integer(1, { min: 1, max: 2 ** 31 - 1 });
const PREFIX = "LIMIT_";
/** `LIMIT_BODY_BYTES` for `bodyBytes`. */
const variableOf = (name: string): string =>
  PREFIX + name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
const NAMES = new Map(Object.keys(DEFAULT_LIMITS).map((name) => [variableOf(name), name as keyof Limits]));

/**
 * Reads the limits that the environment sets.
 *
 * @param problems collects what is wrong. A `LIMIT_` variable that names no limit is wrong, because it would limit nothing
 */
export function readLimits(environment: NodeJS.ProcessEnv, problems: string[]): Partial<Limits> {
  const limits: Partial<Limits> = {};
  for (const [variable, text] of Object.entries(environment)) {
    if (!variable.startsWith(PREFIX) || !text) continue;
    const name = NAMES.get(variable);
    try {
      if (!name) throw new Error(`is no limit; there are ${[...NAMES.keys()].join(", ")}`);
      limits[name] = readLimit(text);
    } catch (error) {
      problems.push(`${variable} ${(error as Error).message}.`);
    }
  }
  return limits;
}
