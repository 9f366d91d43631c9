import { existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";

/** @throws an Error that says what to do if the folder cannot be made */
export function makeDataFolder(dataDir: string): void {
  try {
    makeFolder(dataDir);
  } catch (error) {
    throw new Error(
      `The data folder ${dataDir} cannot be made: ${(error as Error).message}. Name a folder that this user may write to.`,
      { cause: error },
    );
  }
}

/** Creates a folder and its parents. Node's `recursive` option loops forever below a folder such as /proc. */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    // Another process may have made it a moment ago.
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}
