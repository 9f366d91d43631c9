/** The programs of Debian's packages, where they are on this machine. */
import { existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";

const inPath = (name: string): string | undefined =>
  (process.env["PATH"] ?? "")
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path));

const LIBRARIES = ["/usr/lib", "/usr/libexec", "/usr/lib64"];

/** Lies beside WebKitGTK's own processes, in a folder of its version's name. */
const findMiniBrowser = (): string | undefined => {
  const folders = LIBRARIES.filter((folder) => existsSync(folder)).flatMap((folder) => [
    folder,
    ...readdirSync(folder)
      .filter((name) => name.endsWith("-linux-gnu"))
      .map((name) => join(folder, name)),
  ]);
  return folders
    .flatMap((folder) =>
      readdirSync(folder)
        .filter((name) => /^webkit(2gtk|gtk)-/.test(name))
        .map((name) => join(folder, name, "MiniBrowser")),
    )
    .find((path) => existsSync(path));
};

export const programs = {
  firefox: process.env["FIREFOX"] ?? inPath("firefox-esr") ?? inPath("firefox"),
  miniBrowser: findMiniBrowser(),
  webKitDriver: inPath("WebKitWebDriver"),
  xvfb: inPath("Xvfb"),
};

/** @throws for callers that looked at `missing` first, and so never */
export const program = (name: keyof typeof programs): string => {
  const path = programs[name];
  if (!path) throw new Error(`${name} is not installed`);
  return path;
};
