import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { version } from "#package.json";
import { parseArguments } from "./arguments.js";
import type { Command } from "./command.js";
import { readFileIfAny } from "./read-file-if-any.js";

const FILES = ["worker.js", "service-worker.js", "background-sync.js"] as const;

/** Tells a copy of any version from a site's own file: it begins the names of everything that the tracker has in a browser. */
const MARK = "people-tracking:";

interface Copy {
  name: string;
  path: string;
  content: Buffer;
  /** What is at the path. */
  present: Buffer | undefined;
}

export const copy: Command = {
  usage: `people-tracking-sdk copy <folder> [--check]

Copies worker.js, service-worker.js and background-sync.js into a folder that your site serves, such as public.
Run it again after each update of the package.

  --check  copies nothing, and fails if a copy is missing or of another version (for CI)`,

  async run(args, { cwd, distFolder, print }) {
    const { values, positionals } = parseArguments(args, { check: { type: "boolean", default: false } }, [
      "folder",
    ]);
    const [folder = ""] = positionals;
    const copies = await Promise.all(
      FILES.map(async (name): Promise<Copy> => {
        const path = resolve(cwd, folder, name);
        return {
          name,
          path,
          content: await readFile(join(distFolder, name)),
          present: await readFileIfAny(path),
        };
      }),
    );
    const stale = copies.filter(({ content, present }) => !present?.equals(content));
    if (values.check) {
      for (const { name, present } of stale)
        print(
          `${join(folder, name)} ${present ? `is not that of people-tracking-sdk ${version}` : "is missing"}`,
        );
      print(
        stale.length
          ? `Run: npx people-tracking-sdk copy ${folder}`
          : `The copies in ${folder} are those of people-tracking-sdk ${version}.`,
      );
      return stale.length ? 1 : 0;
    }

    const foreign = copies.filter(({ present }) => present && !present.includes(MARK));
    if (foreign.length)
      throw new Error(
        `${foreign.map(({ name }) => join(folder, name)).join(", ")} would be overwritten, and belongs to your site: choose another folder, such as ${join(folder, "people-tracking")}. Nothing was copied.`,
      );
    await mkdir(resolve(cwd, folder), { recursive: true });
    for (const { path, content } of stale) await writeFile(path, content);
    print(
      `Copied to ${folder}, from people-tracking-sdk ${version}: ${FILES.join(", ")}\n\n${advice(folder)}`,
    );
    return 0;
  },
};

/** The folders that web frameworks serve at the root of the site. */
const SERVED = /(?:^|\/)(?:public|static|dist|build|out|www|htdocs)(?:\/|$)/;

const advice = (folder: string): string => {
  const [, below = ""] = folder.replaceAll("\\", "/").split(SERVED);
  const at = `/${below}/`.replaceAll(/\/+/g, "/");
  return `Where your site serves that folder at ${at}, these are the options of PeopleTrackingSDK:

  workerUrl: "${at}worker.js",                 // for bundlers that do not find workers
  serviceWorkerUrl: "${at}service-worker.js",  // for Background Sync

If the site has a service worker of its own: add importScripts("${at}background-sync.js") to that one,
and set serviceWorkerUrl to its URL.`;
};
