/** The part that the service uses; the package has no types of its own. */
declare module "fs-native-extensions" {
  /**
   * Locks the whole file, exclusively, until it is unlocked or its last descriptor is closed, as it is when the process ends.
   *
   * @returns false if another descriptor, of any process, holds the lock
   */
  export function tryLock(fd: number): boolean;
}
