/** The documents for contributors name files. When a file moves, they must follow. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const DECISIONS = readdirSync(join(ROOT, "docs/decisions")).map((name) => `docs/decisions/${name}`);
const DOCUMENTS = [
  "README.md",
  "RELIABILITY.md",
  "ARCHITECTURE.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  "docs/glossary.md",
  "docs/guide/cli.md",
  "docs/guide/bundlers.md",
  ...DECISIONS,
];

/** What a document links to inside the repository, and the paths from its root that stand in backticks. */
const filesNamedIn = (document: string): string[] => {
  const text = readFileSync(join(ROOT, document), "utf8");
  const links = [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(([, path = ""]) =>
    join(dirname(document), path),
  );
  const paths = [...text.matchAll(/`((?:src|tests|server|playground|bench|docs|\.github|\.ci)\/[\w./-]+)`/g)];
  return [...links, ...paths.map(([, path = ""]) => path)];
};

const readSource = (path: string): string => readFileSync(join(ROOT, path), "utf8");

/** The files that begin the steps of ARCHITECTURE's walk from `track()` to the disk. */
const walk = (): string[] => {
  const [, section = ""] = readSource("ARCHITECTURE.md").split("\n## The way of a call\n");
  const [steps = ""] = section.split("\n## ");
  return [...steps.matchAll(/^\d+\. `(src\/[\w./-]+)`/gm)].map(([, path = ""]) => path);
};

/** The files of this repository that a source imports, types included. */
const importsOf = (path: string): string[] =>
  [...readSource(path).matchAll(/\bfrom "(\.[^"]+)\.js"/g)].map(
    ([, to = ""]) => `${join(dirname(path), to)}.ts`,
  );

/** The files from which a source imports the interfaces that it implements. */
const portsOf = (path: string): string[] => {
  const text = readSource(path);
  const names = [...text.matchAll(/\bclass \w+ implements (\w+)/g)].map(([, name = ""]) => name);
  const imports = [...text.matchAll(/import type \{([^}]+)\} from "(\.[^"]+)\.js"/g)];
  return imports
    .filter(([, imported = ""]) => names.some((name) => imported.split(/[\s,]+/).includes(name)))
    .map(([, , from = ""]) => `${join(dirname(path), from)}.ts`);
};

describe("the walk from track() to the disk", () => {
  test("has at most fifteen files, from the facade to IndexedDB", () => {
    const files = walk();
    expect(files.length).toBeLessThanOrEqual(15);
    expect(files[0]).toBe("src/main/people-tracking-sdk.ts");
    expect(files.at(-1)).toBe("src/adapters/indexeddb/stored-rows.ts");
  });

  test("leads from each file to one that it imports, or that implements a port which it imports", () => {
    const reachable = new Set<string>(walk().slice(0, 1));
    const unreachable = walk().filter((path) => {
      const isReachable = [path, ...portsOf(path)].some((each) => reachable.has(each));
      for (const imported of importsOf(path)) reachable.add(imported);
      return !isReachable;
    });
    expect(unreachable).toEqual([]);
  });

  test("goes in one direction: no file imports one before it", () => {
    const files = walk();
    const backwards = files.flatMap((path, step) =>
      importsOf(path)
        .filter((imported) => files.slice(0, step).includes(imported))
        .map((imported) => `${path} imports ${imported}`),
    );
    expect(backwards).toEqual([]);
  });
});

describe("documents for contributors", () => {
  test.each(DOCUMENTS)("%s names files that exist", (document) => {
    expect(filesNamedIn(document).filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  test("the list of decisions has each record", () => {
    const list = filesNamedIn("docs/decisions/README.md");
    expect(list).toEqual(DECISIONS.filter((path) => !path.endsWith("README.md")).toSorted());
  });
});
