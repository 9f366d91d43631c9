import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { brotliCompressSync } from "node:zlib";
import { rolldown } from "rolldown";
import { describe, expect, test } from "vitest";

/** Of what a page loads before `init()` has resolved. */
const MAIN_THREAD_BYTES = 6_620; // what it should get down to: 5,800

/** Of the worker, which a browser fetches and compiles before the first tab's `init()` can resolve. */
const WORKER_BYTES = { brotli: 51_700, minified: 169_500 };

/** An entry as a site's production build has it; what only some sites load stays outside. */
const bundle = async (entry = "index.js"): Promise<string> => {
  const build = await rolldown({
    input: fileURLToPath(new URL(`../../dist/${entry}`, import.meta.url)),
    platform: "browser",
    external: [/(page-host|client-side-navigations|after-start)\.js$/],
    transform: { define: { "process.env.NODE_ENV": '"production"' } },
  });
  const { output } = await build.generate({ format: "es", minify: true, comments: false });
  return output[0].code;
};

describe("the size of the page's entry", () => {
  test("the main thread loads little", async () => {
    const code = await bundle();
    const bytes = brotliCompressSync(code).length;
    console.log(`main thread: ${bytes} bytes with Brotli, ${code.length} without`);
    expect(bytes).toBeLessThanOrEqual(MAIN_THREAD_BYTES);
  });

  test("of Comlink the main thread loads nothing", async () => {
    expect(await bundle()).not.toContain("Comlink");
  });

  test("what is for development only falls out of production", async () => {
    expect(await bundle()).not.toContain("__PEOPLE_TRACKING__");
  });
});

test("the worker is little to fetch and to compile", () => {
  const code = readFileSync(new URL("../../dist/worker.js", import.meta.url));
  const bytes = brotliCompressSync(code).length;
  console.log(`worker: ${bytes} bytes with Brotli, ${code.length} without`);
  expect(bytes).toBeLessThanOrEqual(WORKER_BYTES.brotli);
  expect(code.length).toBeLessThanOrEqual(WORKER_BYTES.minified);
});

describe("the size of Live Chat", () => {
  test.each([
    ["index", 2_760],
    ["infobip", 3_210],
    ["chatwoot", 3_150],
    ["crisp", 3_250],
    ["tawk-to", 3_170],
    ["intercom", 3_320],
  ])("%s is small, and its warnings fall out of production", async (name, budget) => {
    const code = await bundle(`live-chat/${name}.js`);
    const bytes = brotliCompressSync(code).length;
    console.log(`live-chat/${name}: ${bytes} bytes with Brotli, ${code.length} without`);
    expect(bytes).toBeLessThanOrEqual(budget);
    expect(code).not.toContain("cannot be reached");
  });
});
