import type { ApiKeys } from "./api-keys.js";
import { Problem } from "./problem.js";

/** What stands after the scheme in a request's `Authorization`, or null. */
export const credential = (request: Request, scheme: "App" | "Bearer"): string | null => {
  const [given, value, ...rest] = (request.headers.get("authorization") ?? "").trim().split(/ +/);
  return given?.toLowerCase() === scheme.toLowerCase() && value && !rest.length ? value : null;
};

/** Lets only an API key with the scope pass. */
export async function requireScope(request: Request, keys: ApiKeys, scope: string): Promise<void> {
  const key = credential(request, "App");
  const found = key === null ? null : await keys.find(key);
  if (!found) throw new Problem(4010, "the API key is not known", { "WWW-Authenticate": "App" });
  if (!found.scopes.includes(scope)) throw new Problem(4033, `the API key needs the scope ${scope}`);
}
