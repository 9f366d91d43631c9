/** A screen that nobody sees, for browsers that have no mode without one. */
import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { program } from "./programs.js";

export interface Display {
  /** For the environment of what is to be shown on it. */
  readonly name: string;
  close(): Promise<void>;
}

export const openDisplay = async (): Promise<Display> => {
  const server: ChildProcess = spawn(
    program("xvfb"),
    ["-displayfd", "3", "-screen", "0", "1280x800x24", "-nolisten", "tcp"],
    { stdio: ["ignore", "ignore", "ignore", "pipe"] },
  );
  const [number] = (await once(server.stdio[3] as Readable, "data")) as [Buffer];
  return {
    name: `:${number.toString().trim()}`,
    async close() {
      const ended = once(server, "exit");
      server.kill();
      await ended;
    },
  };
};
