import { closeSync, openSync } from "node:fs";
import { join } from "node:path";

/** Its content does not matter and it is never deleted: whoever waited for a deleted file would lock another one. */
const LOCK_FILE = "people-service.lock";

/**
 * PGlite's data folder bears one process only; a second one would ruin it. The lock is the kernel's, on a file in that
 * folder. It is the same for everyone who sees the folder, whatever container or user that is, the kernel takes it from
 * nobody who lives, suspended or not, and it ends with its process, however that ends: no stale lock after a crash, and no
 * waiting.
 *
 * @returns what unlocks it
 * @throws an Error that says what to do where another process has it, or where it cannot be had
 */
export async function lockDataFolder(folder: string): Promise<() => void> {
  // Loaded here, so that a service on PostgreSQL starts on platforms too that its binaries do not know.
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

/** A plain descriptor: a `FileHandle` that nobody holds any more is closed, and the lock with it. */
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
