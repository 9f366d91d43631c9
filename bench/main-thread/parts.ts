import { readFile } from "node:fs/promises";
import { brotliCompressSync } from "node:zlib";
import { minifySync } from "rolldown/utils";
import type { Section } from "../section.js";
import { OURS } from "../site/subjects.js";
import { Rows } from "./rows.js";

const weigh = (code: string): number =>
  brotliCompressSync(minifySync("index.js", code, { module: true }).code).length;

const measure: Section["measure"] = async ({ steps, step }) => {
  const entry = await readFile("dist/index.js", "utf8");
  const modules = entry.split(/^(?=\/\/ src\/)/m);
  const whole = weigh(entry);
  const rows = new Rows();
  steps(modules.length);
  for (const module of modules) {
    const [, name = "the rest"] = /^\/\/ src\/(\S+)\.ts/.exec(module) ?? [];
    step(name);
    const without = modules.filter((other) => other !== module).join("");
    rows.add(OURS.label, name, "Brotli", "bytes", whole - weigh(without));
  }
  return rows.all;
};

export const parts: Section = {
  name: "parts",
  title: "What the main thread loads is made of",
  notes:
    "How much smaller the package's entry, minified and compressed, would be without each of its modules: together less than the whole, for what modules have in common stays with any one of them. None of it can come later: a call that is made before `init()` has resolved is checked, copied, numbered and, where the page goes, journaled at once; and a host that does not start is replaced by the next.",
  measure,
};
