import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { inject, onTestFinished } from "vitest";
import { freePort } from "./start-postgres.js";

/** Where a service process keeps its data, as its environment says it. */
export type DataPlace = { DATA_DIR: string } | { DATABASE_URL: string };

const environment = (place: DataPlace): NodeJS.ProcessEnv => ({
  ...process.env,
  DATA_DIR: "",
  DATABASE_URL: "",
  ...place,
});

/** The command `keys`. */
export const keys = (place: DataPlace, ...args: string[]) =>
  new Promise<{ code: number; out: string; err: string }>((resolve) => {
    execFile(
      process.execPath,
      [join(inject("dist"), "keys.js"), ...args],
      { env: environment(place) },
      (error, out, err) => resolve({ code: error ? 1 : 0, out, err }),
    );
  });

export const newKey = async (place: DataPlace, ...scopes: string[]): Promise<string> => {
  const { out, err } = await keys(place, "create", ...scopes.flatMap((scope) => ["--scope", scope]));
  const key = /key {2}(\S+)/.exec(out)?.[1];
  if (!key) throw new Error(err);
  return key;
};

export interface Running {
  process: ChildProcess;
  port: number;
  url: string;
  /** Its exit code and signal, once it has ended. */
  exited: Promise<[code: number | null, signal: string | null]>;
}

/** The built service as a process of its own, killed after the test. */
export async function runService(place: DataPlace, settings: NodeJS.ProcessEnv = {}): Promise<Running> {
  const port = await freePort();
  const child = spawn(process.execPath, [join(inject("dist"), "main.js")], {
    env: { ...environment(place), ...settings, PORT: String(port) },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit") as Running["exited"];
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  await new Promise<void>((resolve, reject) => {
    child.stdout.on("data", (lines) => {
      // Read to the end, so that a full pipe never holds the service up.
      if (String(lines).includes('"listening"')) resolve();
    });
    child.once("exit", (code) => reject(new Error(`the service ended with ${code} before it listened`)));
  });
  return { process: child, port, url: `http://127.0.0.1:${port}/people`, exited };
}
