/** The same package as the deploy after this one would have it: another protocol, at another path. */
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createBuilder } from "vite";
import type { Plugin } from "vite";
import { PROTOCOL_VERSION } from "../../../src/protocol/host.js";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

const nextProtocol: Plugin = {
  name: "next-protocol",
  enforce: "pre",
  transform: (code, id) =>
    id.endsWith("/src/protocol/host.ts")
      ? code.replace(`PROTOCOL_VERSION = ${PROTOCOL_VERSION}`, `PROTOCOL_VERSION = ${PROTOCOL_VERSION + 1}`)
      : null,
};

export interface NextVersion {
  folder: string;
  remove(): Promise<void>;
}

export const buildNextVersion = async (): Promise<NextVersion> => {
  const folder = await mkdtemp(join(ROOT, "dist", "next-"));
  const environments = ["main", "pageHost", "worker"];
  const builder = await createBuilder({
    root: ROOT,
    logLevel: "error",
    plugins: [nextProtocol],
    environments: Object.fromEntries(environments.map((name) => [name, { build: { outDir: folder } }])),
  });
  for (const name of environments) {
    const environment = builder.environments[name];
    if (environment) await builder.build(environment);
  }
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
};
