import { readFile } from "node:fs/promises";
import { brotliCompressSync } from "node:zlib";
import { minifySync } from "rolldown/utils";
import type { Section } from "../section.js";
import { OURS } from "../site/subjects.js";
import { Rows } from "./rows.js";

/** Bundles and compresses as a site's production build would. */
const weigh = (modules: readonly string[]): number => {
  const code = modules.join("").replaceAll("process.env.NODE_ENV", '"production"');
  return brotliCompressSync(minifySync("index.js", code, { module: true }).code).length;
};

const nameOf = (module: string): string => /^\/\/ src\/(\S+)\.ts/.exec(module)?.[1] ?? "the rest";

/** Modules that a site may think it does not need. The interface promises each. */
const PROMISED = ["main/live-chat", "main/unload-journal", "main/copy-value"];

const measure: Section["measure"] = async ({ steps, step }) => {
  const entry = await readFile("dist/index.js", "utf8");
  const modules = entry.split(/^(?=\/\/ src\/)/m);
  const rows = new Rows();
  const add = (what: string, bytes: number): void => rows.add(OURS.label, what, "Brotli", "bytes", bytes);
  const whole = weigh(modules);
  steps(modules.length);
  for (const module of modules) {
    step(nameOf(module));
    add(nameOf(module), whole - weigh(modules.filter((other) => other !== module)));
  }
  add("the whole entry", whole);
  add(
    `the entry without ${PROMISED.join(", ")}`,
    weigh(modules.filter((module) => !PROMISED.includes(nameOf(module)))),
  );
  return rows.all;
};

export const parts: Section = {
  name: "parts",
  title: "What the main thread loads is made of",
  notes: `How much smaller the package's entry, minified and compressed, would be without each module. The parts add up to less than
the whole, because what two modules have in common stays if one of them is removed. The last row is the entry without Live
Chat, the unload journal and the copying of arguments, which the interface promises.

No part can be loaded later. A call before \`init()\` has resolved is checked, copied and numbered at once, and journaled if
the page goes; and a host that does not start is replaced by the next. Nor could a part be loaded right after the start: if
the site no longer serves that file, the tracker would take calls and store none.`,
  measure,
};
