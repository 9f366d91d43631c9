import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { devServicePath, readDevService, type DevService } from "../../../src/cli/dev-service.js";
import { newSecret } from "../credentials/secrets.js";
import { makeDataFolder } from "../database/make-data-folder.js";

/**
 * Prepares the folder of a development service. Its keys are made at the first start and kept, so that a page works again
 * after a restart. Git ignores the folder, because the admin key is a secret.
 *
 * @throws an Error that says what to do if the folder cannot be used
 */
export async function prepareDevFolder(folder: string, endpoint: string): Promise<DevService> {
  makeDataFolder(folder);
  await writeFile(join(folder, ".gitignore"), "*\n");
  const kept = await readDevService(folder);
  const service: DevService = {
    endpoint,
    // The beginning says what a key is for, wherever it is pasted.
    trackingKey: kept?.trackingKey ?? `dev-tracking-${newSecret()}`,
    adminKey: kept?.adminKey ?? `dev-admin-${newSecret()}`,
  };
  await writeFile(devServicePath(folder), `${JSON.stringify(service, null, 2)}\n`, { mode: 0o600 });
  return service;
}
