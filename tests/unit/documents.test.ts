/** The documents for contributors name files. When a file moves, they must follow. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const DECISIONS = readdirSync(join(ROOT, "docs/decisions")).map((name) => `docs/decisions/${name}`);
const DOCUMENTS = ["ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "docs/glossary.md", ...DECISIONS];

/** What a document links to inside the repository, and the paths from its root that stand in backticks. */
const filesNamedIn = (document: string): string[] => {
  const text = readFileSync(join(ROOT, document), "utf8");
  const links = [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(([, path = ""]) =>
    join(dirname(document), path),
  );
  const paths = [...text.matchAll(/`((?:src|tests|server|playground|bench|docs|\.github|\.ci)\/[\w./-]+)`/g)];
  return [...links, ...paths.map(([, path = ""]) => path)];
};

describe("documents for contributors", () => {
  test.each(DOCUMENTS)("%s names files that exist", (document) => {
    expect(filesNamedIn(document).filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  test("the list of decisions has each record", () => {
    const list = filesNamedIn("docs/decisions/README.md");
    expect(list).toEqual(DECISIONS.filter((path) => !path.endsWith("README.md")).toSorted());
  });
});
