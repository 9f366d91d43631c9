import { fileURLToPath } from "node:url";
import { brotliCompressSync } from "node:zlib";
import { rolldown } from "rolldown";
import { expect, test } from "vitest";

/** Of what a page loads before `init()` has resolved. */
const MAIN_THREAD_BYTES = 6_620; // what it should get down to: 5,800

/** The entry as a site's production build has it; what only some sites load stays outside. */
const bundle = async (): Promise<string> => {
  const build = await rolldown({
    input: fileURLToPath(new URL("../../dist/index.js", import.meta.url)),
    platform: "browser",
    external: [/(page-host|client-side-navigations|after-start)\.js$/],
    transform: { define: { "process.env.NODE_ENV": '"production"' } },
  });
  const { output } = await build.generate({ format: "es", minify: true, comments: false });
  return output[0].code;
};

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
