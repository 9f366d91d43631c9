import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/**
 * Finds the development service of an installed `people-service`, from the first of these folders that has one.
 *
 * @returns the URL of its module, or undefined if there is none
 * @throws an Error that says what to do if the installed one is too old to have it
 */
export function findInstalledService(folders: readonly string[]): string | undefined {
  for (const folder of folders) {
    try {
      return pathToFileURL(createRequire(join(folder, "file.js")).resolve("people-service/dev")).href;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ERR_PACKAGE_PATH_NOT_EXPORTED")
        throw new Error("The installed people-service is too old for this command: update it.", {
          cause: error,
        });
      if (code !== "MODULE_NOT_FOUND") throw error;
    }
  }
  return undefined;
}
