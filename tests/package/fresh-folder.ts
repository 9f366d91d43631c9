import { execFile } from "node:child_process";
import { mkdir, readFile, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const run = promisify(execFile);

/** Packs a package of this repository, as it would be published; the tarball's path. */
export const pack = async (name: "people-tracking-sdk" | "people-service", into: string): Promise<string> => {
  const folder = name === "people-service" ? join(ROOT, "server") : ROOT;
  const { stdout } = await run("npm", ["pack", "--json", "--pack-destination", into], { cwd: folder });
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
  return join(into, filename);
};

/** Installs the tracker's tarball. It has no dependencies, so that no registry is asked. */
export const installTracker = async (tarball: string, app: string): Promise<void> => {
  await run("npm", ["install", "--offline", "--no-audit", "--no-fund", tarball], { cwd: app });
};

/** Puts the service's tarball into an application, with the dependencies of this repository: no registry is asked. */
export const installService = async (tarball: string, app: string): Promise<void> => {
  const modules = join(app, "node_modules");
  const folder = join(modules, "people-service");
  await mkdir(folder, { recursive: true });
  await run("tar", ["-xzf", tarball, "--strip-components=1", "-C", folder]);
  const { dependencies } = JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as {
    dependencies: Record<string, string>;
  };
  const from = createRequire(join(ROOT, "server/package.json"));
  for (const name of Object.keys(dependencies)) {
    const installed = from.resolve.paths(name)?.map((path) => join(path, name)) ?? [];
    const link = join(modules, name);
    await mkdir(dirname(link), { recursive: true });
    await symlink(await firstFolder(installed), link);
  }
};

const firstFolder = async (paths: readonly string[]): Promise<string> => {
  for (const path of paths) {
    const isThere = await readFile(join(path, "package.json")).then(
      () => true,
      () => false,
    );
    if (isThere) return path;
  }
  throw new Error(`None of ${paths.join(", ")} exists: run npm ci`);
};
