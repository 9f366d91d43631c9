/** The options of every command that calls the service. */
import { join } from "node:path";
import { headerValueSchema } from "../protocol/schemas/responses.js";
import { parsed } from "../protocol/schemas/parse.js";
import { UsageError, type Environment } from "./command.js";
import { DEV_FOLDER, readDevService } from "./dev-service.js";
import { openPeopleService, type PeopleService } from "./people-service.js";

export const SERVICE_OPTIONS = { endpoint: { type: "string" }, key: { type: "string" } } as const;

/** Environment variables hold keys for CI, and keep them out of a shell's history. */
const KEY_VARIABLES = { trackingKey: "PEOPLE_TRACKING_KEY", adminKey: "PEOPLE_TRACKING_ADMIN_KEY" } as const;

/**
 * Opens the service that the options name, else the environment, else the one that `dev` runs in this folder.
 *
 * @throws a {@link UsageError} if endpoint or key is missing or wrong
 */
export async function connect(
  values: { endpoint?: string | undefined; key?: string | undefined },
  { variables, fetch, cwd }: Environment,
  kind: keyof typeof KEY_VARIABLES,
): Promise<PeopleService> {
  const variable = KEY_VARIABLES[kind];
  const given = values.endpoint ?? variables["PEOPLE_TRACKING_ENDPOINT"];
  const ofDev = given === undefined ? await readDevService(join(cwd, DEV_FOLDER)) : undefined;
  const endpoint = given ?? ofDev?.endpoint;
  const key = (values.key ?? variables[variable] ?? ofDev?.[kind])?.trim();
  if (!endpoint)
    throw new UsageError(
      "--endpoint is missing, and PEOPLE_TRACKING_ENDPOINT is not set, and dev never ran here",
    );
  if (!/^https?:/.test(endpoint) || !URL.canParse(endpoint))
    throw new UsageError(`--endpoint must be a URL such as https://shop.example/people, not "${endpoint}"`);
  if (!key) throw new UsageError(`--key is missing, and ${variable} is not set`);
  if (!parsed(headerValueSchema, key))
    throw new UsageError("--key has a character that no key has: copy it once more");
  const { origin, pathname } = new URL(endpoint);
  return openPeopleService(origin + pathname.replace(/\/+$/, ""), key, fetch);
}
