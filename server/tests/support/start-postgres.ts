import { execFileSync, spawn, type ChildProcess, type SpawnOptions } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { Client } from "pg";
import type { TestProject } from "vitest/node";
import { freePort } from "./free-port.js";

declare module "vitest" {
  interface ProvidedContext {
    /** The server on which test files create their databases; null if PostgreSQL is not installed. */
    postgresUrl: string | null;
  }
}

/** What a killed process has written the system keeps: only where the machine itself fails does `fsync` matter. */
const SETTINGS = ["-c", "max_connections=200", "-c", "fsync=off"];

/** Starts one PostgreSQL for the whole run. */
export default async function provideServer(
  project: TestProject,
): Promise<(() => Promise<void>) | undefined> {
  const server = await startPostgres();
  if (!server)
    console.log("PostgreSQL is not installed here (no initdb): the service's tests run on PGlite alone.");
  project.provide("postgresUrl", server?.url ?? null);
  return server?.remove;
}

/** A PostgreSQL that can be stopped and started again. */
export interface PostgresServer {
  url: string;
  /** Stops it immediately and without a checkpoint, so that the next start recovers as after a crash. */
  crash: () => Promise<void>;
  /** Kills the postmaster only. The other processes notice it by themselves. */
  kill: () => Promise<void>;
  /** Suspends all its processes: connections stay open, and nothing is answered. */
  suspend: () => Promise<void>;
  resume: () => void;
  /** Starts it again with the same data and port. */
  start: () => Promise<void>;
  /** Stops it and deletes its data. */
  remove: () => Promise<void>;
}

/** Starts a server from the installed binaries in a temporary folder; null if there are none. */
export async function startPostgres(): Promise<PostgresServer | null> {
  const bin = findBinaries();
  if (!bin) return null;
  const folder = mkdtempSync(join(tmpdir(), "people-postgres-"));
  const data = join(folder, "data");
  const user = ordinaryUser();
  if (user.uid !== undefined) chownSync(folder, user.uid, user.gid!);
  execFileSync(
    join(bin, "initdb"),
    ["-D", data, "-U", "people", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"],
    { ...user, stdio: "ignore", cwd: folder },
  );
  const port = await freePort();
  const url = `postgres://people@127.0.0.1:${port}/postgres`;
  let server: ChildProcess;
  const spawnServer = () => {
    server = spawn(
      join(bin, "postgres"),
      ["-D", data, "-p", String(port), "-k", folder, "-h", "127.0.0.1", ...SETTINGS],
      { ...user, stdio: "ignore", cwd: folder },
    );
  };
  const start = async (): Promise<void> => {
    spawnServer();
    await untilItAnswers(url, () => {
      // The server exits while processes of a killed one still hold its shared memory.
      if (hasEnded(server)) spawnServer();
    });
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (hasEnded(server)) return;
    const exited = once(server, "exit");
    server.kill(signal);
    await exited;
  };
  let suspended: number[] = [];
  const suspend = async (): Promise<void> => {
    const client = new Client({ connectionString: url });
    client.on("error", () => undefined);
    await client.connect();
    // Only the postmaster starts other processes.
    server.kill("SIGSTOP");
    const { rows } = await client.query<{ pid: number }>("select pid from pg_stat_activity");
    suspended = [server.pid!, ...new Set([...rows.map(({ pid }) => pid), ...childrenOf(server.pid!)])];
    for (const pid of suspended) signal(pid, "SIGSTOP");
    client.end().catch(() => undefined);
  };
  const resume = (): void => {
    for (const pid of suspended) signal(pid, "SIGCONT");
    suspended = [];
  };
  const crash = () => {
    resume();
    return end("SIGQUIT");
  };
  await start();
  return {
    url,
    start,
    crash,
    suspend,
    resume,
    kill: () => end("SIGKILL"),
    remove: async () => {
      await crash();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const hasEnded = ({ exitCode, signalCode }: ChildProcess) => exitCode !== null || signalCode !== null;

/** The children that Linux knows: a connection that is just being made does not show in `pg_stat_activity` yet. */
function childrenOf(pid: number): number[] {
  const file = `/proc/${pid}/task/${pid}/children`;
  return existsSync(file) ? readFileSync(file, "utf8").split(" ").filter(Boolean).map(Number) : [];
}

/** Signals a process that may have ended in the meantime. */
function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function findBinaries(): string | undefined {
  const debian = "/usr/lib/postgresql";
  const versions = existsSync(debian) ? readdirSync(debian).toSorted((a, b) => Number(b) - Number(a)) : [];
  const folders = [
    ...(process.env["PATH"] ?? "").split(delimiter),
    ...versions.map((version) => join(debian, version, "bin")),
  ];
  return folders.find((folder) => existsSync(join(folder, "initdb")) && existsSync(join(folder, "postgres")));
}

/** PostgreSQL refuses to run as root. */
export function ordinaryUser(): Pick<SpawnOptions, "uid" | "gid"> {
  if (process.getuid?.() !== 0) return {};
  for (const name of ["postgres", "nobody"]) {
    try {
      const id = (flag: string) =>
        Number(execFileSync("id", [flag, name], { stdio: ["ignore", "pipe", "ignore"] }));
      return { uid: id("-u"), gid: id("-g") };
    } catch {
      // There is no such user; the next one.
    }
  }
  throw new Error("PostgreSQL does not run as root, and there is neither a user postgres nor nobody.");
}

export async function untilItAnswers(url: string, onRefusal?: () => void): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const client = new Client({ connectionString: url });
    try {
      await client.connect();
      await client.end();
      return;
    } catch (error) {
      if (attempt > 200) throw error;
      onRefusal?.();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
