import { DEFAULT_LIMITS, type Limits } from "../http/limits.js";
import { integer } from "./configuration-rules.js";

/** As many as a row of 32 bits counts: no limit at all. */
const readLimit = integer(1, { min: 1, max: 2 ** 31 - 1 });
const PREFIX = "LIMIT_";
/** `LIMIT_BODY_BYTES` for `bodyBytes`. */
const variableOf = (name: string): string =>
  PREFIX + name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
const NAMES = new Map(Object.keys(DEFAULT_LIMITS).map((name) => [variableOf(name), name as keyof Limits]));

/**
 * The limits that the environment sets, each by the variable of its name.
 *
 * @param problems what is wrong goes here; a variable that names no limit is, for it would limit nothing
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
