import { execFileSync, spawn, type SpawnOptions } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { Client } from "pg";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** The server that every test file makes its databases on; null where the machine has no PostgreSQL. */
    postgresUrl: string | null;
  }
}

/** One PostgreSQL for the whole run, from the machine's own binaries, in a temporary folder. */
export default async function startPostgres(
  project: TestProject,
): Promise<(() => Promise<void>) | undefined> {
  const bin = findBinaries();
  if (!bin) {
    console.log("PostgreSQL is not installed here (no initdb): the service's tests run on PGlite alone.");
    project.provide("postgresUrl", null);
    return;
  }
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
  const server = spawn(
    join(bin, "postgres"),
    ["-D", data, "-p", String(port), "-k", folder, "-h", "127.0.0.1", "-c", "max_connections=200"],
    { ...user, stdio: "ignore", cwd: folder },
  );
  const url = `postgres://people@127.0.0.1:${port}/postgres`;
  await untilItAnswers(url);
  project.provide("postgresUrl", url);
  return async () => {
    const exited = once(server, "exit");
    // Immediate: nobody needs these data again.
    server.kill("SIGQUIT");
    await exited;
    rmSync(folder, { recursive: true, force: true });
  };
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
function ordinaryUser(): Pick<SpawnOptions, "uid" | "gid"> {
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

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

async function untilItAnswers(url: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const client = new Client({ connectionString: url });
    try {
      await client.connect();
      await client.end();
      return;
    } catch (error) {
      if (attempt > 200) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
