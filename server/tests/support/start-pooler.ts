import { spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { onTestFinished } from "vitest";
import { freePort } from "./free-port.js";
import { ordinaryUser, untilItAnswers } from "./start-postgres.js";

const BINARY = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin"]
  .map((folder) => join(folder, "pgbouncer"))
  .find((path) => existsSync(path));

export const hasPooler = BINARY !== undefined;
if (!hasPooler) console.log("PgBouncer is not installed here: the service is not tested behind it.");

/** The maximum number of server connections, fewer than the service opens. */
const POOL_SIZE = 3;

export interface Pooler {
  /** The URL of the database through the pooler. */
  url: string;
  suspend: () => void;
  resume: () => void;
}

/** Starts a PgBouncer in transaction mode in front of a database, which is stopped after the test. */
export async function startPooler(databaseUrl: string, settings: readonly string[] = []): Promise<Pooler> {
  const target = new URL(databaseUrl);
  const through = new URL(databaseUrl);
  through.port = String(await freePort());
  const folder = mkdtempSync(join(tmpdir(), "people-pooler-"));
  const user = ordinaryUser();
  if (user.uid !== undefined) chownSync(folder, user.uid, user.gid!);
  const file = join(folder, "pgbouncer.ini");
  writeFileSync(
    file,
    [
      "[databases]",
      `* = host=${target.hostname} port=${target.port} user=${target.username}`,
      "[pgbouncer]",
      "listen_addr = 127.0.0.1",
      `listen_port = ${through.port}`,
      "unix_socket_dir =",
      "auth_type = any",
      "pool_mode = transaction",
      `default_pool_size = ${POOL_SIZE}`,
      ...settings,
    ].join("\n"),
  );
  const pooler = spawn(BINARY!, ["-q", file], { ...user, stdio: "ignore", cwd: folder });
  onTestFinished(async () => {
    const exited = once(pooler, "exit");
    pooler.kill("SIGKILL");
    await exited;
    rmSync(folder, { recursive: true, force: true });
  });
  await untilItAnswers(through.href);
  return {
    url: through.href,
    suspend: () => void pooler.kill("SIGSTOP"),
    resume: () => void pooler.kill("SIGCONT"),
  };
}
