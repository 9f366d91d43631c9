import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { inject, onTestFinished } from "vitest";
import { freePort } from "./free-port.js";

/** The environment variables that say where a service process keeps its data. */
export type DataPlace = ({ DATA_DIR: string } | { DATABASE_URL: string }) & { TMPDIR?: string };

const environment = (place: DataPlace): NodeJS.ProcessEnv => ({
  ...process.env,
  DATA_DIR: "",
  DATABASE_URL: "",
  ...place,
});

/** Runs the command `keys`. */
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

export interface ServiceProcess {
  process: ChildProcess;
  port: number;
  url: string;
  /** Its exit code and signal, once it has ended. */
  exited: Promise<[code: number | null, signal: string | null]>;
  /** Resolves with the first log line that contains the text, and rejects if the process ends without one. */
  line: (text: string) => Promise<LogLine>;
}
export type LogLine = { level: number; msg: string } & Record<string, unknown>;

/** Spawns the built service, which is killed after the test. It may still be starting, or fail to start. */
export async function spawnService(
  place: DataPlace,
  settings: NodeJS.ProcessEnv = {},
): Promise<ServiceProcess> {
  const port = await freePort();
  const child = spawn(process.execPath, [join(inject("dist"), "main.js")], {
    env: { ...environment(place), PORT: String(port), ...settings },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit") as ServiceProcess["exited"];
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  const lines: string[] = [];
  // Read continuously, so that a full pipe never blocks the service.
  const reader = createInterface({ input: child.stdout }).on("line", (line) => lines.push(line));
  const line = (text: string) =>
    new Promise<LogLine>((resolve, reject) => {
      const look = (candidate: string): void => {
        if (candidate.includes(text)) resolve(JSON.parse(candidate) as LogLine);
      };
      lines.forEach(look);
      reader.on("line", look);
      reader.once("close", () =>
        reject(new Error(`the service ended and wrote no “${text}”: ${lines.join("\n")}`)),
      );
    });
  return { process: child, port, url: `http://127.0.0.1:${port}/people`, exited, line };
}

/** Spawns the built service and waits until it listens. */
export async function runService(
  place: DataPlace,
  settings: NodeJS.ProcessEnv = {},
): Promise<ServiceProcess> {
  const service = await spawnService(place, settings);
  await service.line('"listening"');
  return service;
}

/** Spawns a service that fails to start, and returns its exit code and the message of its last line. */
export async function failToStart(place: DataPlace, settings: NodeJS.ProcessEnv = {}) {
  const service = await spawnService(place, settings);
  const line = await service.line('"level":60');
  const [code] = await service.exited;
  return { code, message: line.msg };
}
