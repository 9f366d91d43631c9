import { closeSync, openSync } from "node:fs";
import { join } from "node:path";

/** The file stays empty and is never deleted: processes that open it before and after a deletion would lock different files. */
const LOCK_FILE = "people-service.lock";

/**
 * Locks a data folder of PGlite, which a second process would corrupt. The lock is the kernel's, on a file in the folder,
 * so it holds across containers and users that share the folder. A suspended process keeps it, and the end of a process
 * releases it, so that a crash leaves no stale lock.
 *
 * @returns a function that releases the lock
 * @throws an Error that says what to do if another process holds the lock or the folder cannot be locked
 */
export async function lockDataFolder(folder: string): Promise<() => void> {
  // Loaded here, so that a service on PostgreSQL also starts on platforms for which the package has no binary.
  const { tryLock } = await import("fs-native-extensions").catch((error: unknown) => {
    throw new Error(
      `The data folder ${folder} cannot be locked on ${process.platform}-${process.arch}. Use PostgreSQL (DATABASE_URL).`,
      { cause: error },
    );
  });
  const file = openLockFile(folder);
  let isLocked: boolean;
  try {
    isLocked = tryLock(file);
  } catch (error) {
    closeSync(file);
    throw new Error(
      `The data folder ${folder} is on a file system that cannot lock files: ${(error as Error).message}. Name a folder on another one, or use PostgreSQL (DATABASE_URL).`,
      { cause: error },
    );
  }
  if (isLocked) return () => closeSync(file);
  closeSync(file);
  throw new Error(
    `The data folder ${folder} is in use by another process. PGlite allows one at a time: stop that one first, or use PostgreSQL (DATABASE_URL).`,
  );
}

/** Opens a plain descriptor, because a `FileHandle` is closed when it is garbage-collected, and that releases the lock. */
function openLockFile(folder: string): number {
  try {
    return openSync(join(folder, LOCK_FILE), "a");
  } catch (error) {
    throw new Error(
      `The data folder ${folder} cannot be written to: ${(error as Error).message}. Name a folder that this user may write to.`,
      { cause: error },
    );
  }
}
