import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { newFolder, runCommand, type Ran } from "./run-command.js";

const FILES = ["background-sync.js", "service-worker.js", "worker.js"];

interface Site {
  cwd: string;
  copy: (...args: string[]) => Promise<Ran>;
}

/** A site whose package has files of this version. */
const siteWithPackage = async (version = "1"): Promise<Site & { update: (to: string) => Promise<void> }> => {
  const cwd = await newFolder();
  const distFolder = join(cwd, "node_modules/people-tracking-sdk/dist");
  await mkdir(distFolder, { recursive: true });
  const update = async (to: string): Promise<void> => {
    for (const name of FILES) await writeFile(join(distFolder, name), `"people-tracking:${name}:${to}"`);
  };
  await update(version);
  return { cwd, update, copy: (...args) => runCommand(["copy", ...args], { cwd, distFolder }) };
};

describe("copy", () => {
  test("makes the folder, and puts the three files there", async () => {
    const { cwd, copy } = await siteWithPackage();
    expect(await copy("site/public")).toMatchObject({ code: 0, errors: [] });
    expect((await readdir(join(cwd, "site/public"))).toSorted()).toEqual(FILES);
    expect(await readFile(join(cwd, "site/public/worker.js"), "utf8")).toBe('"people-tracking:worker.js:1"');
  });

  test.each([
    ["public", "/"],
    ["apps/shop/public/tracker/", "/tracker/"],
    ["./static", "/"],
    ["somewhere", "/"],
  ])("names the options for %s as URLs below %s", async (folder, at) => {
    const { copy } = await siteWithPackage();
    const { output } = await copy(folder);
    expect(output).toContain(`workerUrl: "${at}worker.js"`);
    expect(output).toContain(`serviceWorkerUrl: "${at}service-worker.js"`);
    expect(output).toContain(`importScripts("${at}background-sync.js")`);
  });

  test("replaces copies of another version", async () => {
    const { cwd, copy, update } = await siteWithPackage("1");
    await copy("public");
    await update("2");
    expect((await copy("public")).code).toBe(0);
    expect(await readFile(join(cwd, "public/worker.js"), "utf8")).toContain(":2");
  });

  test("never overwrites a service worker of the site, and copies nothing then", async () => {
    const { cwd, copy } = await siteWithPackage();
    await mkdir(join(cwd, "public"));
    const own = 'importScripts("/people-tracking/background-sync.js")';
    await writeFile(join(cwd, "public/service-worker.js"), own);
    expect(await copy("public")).toMatchObject({
      code: 1,
      errors: [
        expect.stringContaining("public/service-worker.js would be overwritten, and belongs to your site"),
      ],
    });
    expect(await readdir(join(cwd, "public"))).toEqual(["service-worker.js"]);
    expect(await readFile(join(cwd, "public/service-worker.js"), "utf8")).toBe(own);
  });
});

describe("copy --check", () => {
  test("passes after a copy", async () => {
    const { copy } = await siteWithPackage();
    await copy("public");
    expect(await copy("public", "--check")).toMatchObject({ code: 0, errors: [] });
  });

  test("fails where copies are missing or of another version, names them and changes nothing", async () => {
    const { cwd, copy, update } = await siteWithPackage("1");
    await mkdir(join(cwd, "public"));
    await writeFile(join(cwd, "public/worker.js"), '"people-tracking:worker.js:1"');
    await update("2");
    const { code, output } = await copy("public", "--check");
    expect(code).toBe(1);
    expect(output).toContain("public/worker.js is not that of people-tracking-sdk");
    expect(output).toContain("public/service-worker.js is missing");
    expect(output).toContain("npx people-tracking-sdk copy public");
    expect(await readdir(join(cwd, "public"))).toEqual(["worker.js"]);
  });
});
