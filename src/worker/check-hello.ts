/** Checks what a site has handed in to `init()`, as its page's hello says it. */
import type { PageHello } from "../protocol/host.js";
import { fromJson, toJson } from "../protocol/json.js";

/** Each option, as JSON, matches its rule. */
const RULES = {
  pageViews: /^("(load|spa|manual)"|{.*"spa":true.*})$/,
  host: /^"(auto|shared|dedicated|page)"$/,
  durability: /^"(relaxed|strict)"$/,
  namespace: /^".{1,99}"$/,
  sessionTimeoutMs: /^[1-9]\d*$/,
  maxWaiting: /^[1-9]\d*$/,
  deliveryDelayMs: /^\d{1,5}$/,
};

type Given = Pick<PageHello, "namespace" | "apiKey" | "endpoint" | "options">;

/** The problem of a hello; `undefined` where it has none. */
export const helloProblem = ({ namespace, apiKey, endpoint, options }: Given): string | undefined =>
  keyProblem(apiKey) ?? optionsProblem({ namespace, ...optionsIn(options) }) ?? endpointProblem(endpoint);

/** How safely the site wants its data stored, by a hello without a problem. */
export const durabilityOf = ({ options }: Given): "relaxed" | "strict" =>
  optionsIn(options)["durability"] as "relaxed" | "strict";

const optionsIn = (json: string): Record<string, unknown> => fromJson(json) as Record<string, unknown>;

const keyProblem = (key: string): string | undefined => {
  if (!key) return "apiKey must be a non-empty string";
  const at = key.search(/[^ -~]/);
  if (at < 0) return undefined;
  const codePoint = key.codePointAt(at)!.toString(16).toUpperCase().padStart(4, "0");
  return `apiKey has the character U+${codePoint} at position ${at + 1}, which no HTTP header can carry: copy it once more`;
};

const optionsProblem = (options: Record<string, unknown>): string | undefined => {
  for (const [name, rule] of Object.entries(RULES)) {
    if (!rule.test(toJson(options[name]))) return `options.${name} must match ${rule}`;
  }
  const { ignoreSearch = false } = Object(options["pageViews"]) as { ignoreSearch?: unknown };
  const isGood = Array.isArray(ignoreSearch)
    ? ignoreSearch.every((name) => typeof name === "string")
    : typeof ignoreSearch === "boolean";
  return isGood ? undefined : "options.pageViews.ignoreSearch must be true or a list of strings";
};

const endpointProblem = (endpoint: string): string | undefined =>
  /^https?:/.test(endpoint) ? undefined : "options.endpoint must be an http(s) URL";
