/** What the service uses of it; the package brings no types. */
declare module "fs-native-extensions" {
  /**
   * Locks the whole file, exclusively, until it is unlocked or its last descriptor is closed, as it is when the process ends.
   *
   * @returns false where another descriptor, of any process, has it
   */
  export function tryLock(fd: number): boolean;
}
