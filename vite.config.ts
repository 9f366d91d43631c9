/**
 * One `vite build` makes the package and the playground:
 *
 *   main         dist/index.js      what a site imports: not minified, with the worker's URL as it stands in the source;
 *                                   beside it what only some sites load
 *   pageHost     dist/page-host.js  the host inside the page, which the main entry imports when workers are forbidden
 *   worker       dist/worker.js     the SharedWorker and dedicated worker: one file that needs nothing else
 *   serviceWorker, backgroundSync   dist/service-worker.js and dist/background-sync.js: what sites serve for Background
 *                                   Sync, classic scripts whose names stay their own in another's `importScripts`
 *   liveChat     dist/live-chat/…   Live Chat sessions, and an adapter for each widget, as a site imports them
 *   playground   playground/dist/client, from index.html
 *
 * Sites' bundlers find the worker by the text `new SharedWorker(new URL("./worker.js", import.meta.url), {…})`. A build
 * for `consumer: "server"` is the one that leaves it alone; a minified one would break it.
 */
import { fileURLToPath } from "node:url";
import type { EnvironmentOptions, Plugin } from "vite";
import { defineConfig } from "vite";

const fromHere = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** One self-contained file of the package, or several that share chunks in their folder. */
const packageFile = (
  name: string,
  entry: string | Record<string, string>,
  options: { minify: boolean; codeSplitting?: boolean; format?: "es" | "iife"; folder?: string },
): EnvironmentOptions => ({
  consumer: "server",
  keepProcessEnv: false,
  define: { "process.env.NODE_ENV": '"production"' },
  resolve: { noExternal: true, conditions: ["module", "browser", "production"] },
  build: {
    outDir: "dist",
    emptyOutDir: false,
    copyPublicDir: false,
    target: "es2022",
    minify: options.minify,
    license: { fileName: `licenses/${name}.md` },
    rolldownOptions: {
      platform: "browser",
      input: typeof entry === "string" ? { [name]: fromHere(entry) } : entry,
      optimization: { inlineConst: { mode: "all" } },
      output: {
        format: options.format ?? "es",
        entryFileNames: `${options.folder ?? ""}[name].js`,
        chunkFileNames: `${options.folder ?? ""}[name].js`,
        codeSplitting: options.codeSplitting ?? false,
        // A site's minifier puts the value of a `const` where it is used.
        topLevelVar: options.minify,
      },
    },
  },
});

const worker = packageFile("worker", "src/worker/worker.ts", { minify: true });
const serviceWorker = packageFile("service-worker", "src/worker/service-worker.ts", {
  minify: true,
  format: "iife",
});
const backgroundSync = packageFile("background-sync", "src/worker/background-sync.ts", {
  minify: true,
  format: "iife",
});
const pageHost = packageFile("page-host", "src/worker/page-host.ts", { minify: false });
const main = packageFile("index", "src/main/index.ts", { minify: false, codeSplitting: true });
const liveChat = packageFile(
  "live-chat",
  Object.fromEntries(
    ["index", "infobip", "chatwoot", "crisp", "tawk-to", "intercom"].map((name) => [
      name,
      fromHere(`src/live-chat/${name}.ts`),
    ]),
  ),
  { minify: false, codeSplitting: true, folder: "live-chat/" },
);
for (const environment of [main, liveChat]) {
  // Left to the site's bundler, which drops what is for development only.
  environment.keepProcessEnv = true;
  delete environment.define;
}

/** The in-page host is a file of its own, beside the main entry. */
const besideMain: Plugin = {
  name: "page-host-beside-main",
  enforce: "pre",
  applyToEnvironment: (environment) => environment.name === "main",
  resolveId: (id) => (id.endsWith("/page-host.js") ? { id: "./page-host.js", external: true } : null),
};

interface Node {
  type: string;
  start: number;
  end: number;
}

/**
 * Puts the main entry's functions into parentheses: V8 then compiles them with the script, off the main thread, and not
 * each as it is first called, while `init()` blocks the page (https://v8.dev/blog/preparser#pife). Vite's
 * minifier keeps the parentheses; one that does not costs nothing but what they gain.
 */
const functionsCompiledEarly: Plugin = {
  name: "functions-compiled-early",
  applyToEnvironment: (environment) => environment.name === "main",
  renderChunk(code, { isEntry }) {
    if (!isEntry) return null;
    const parentheses: [at: number, text: string][] = [];
    const visit = (node: unknown): void => {
      const { type, start, end } = Object(node) as Node;
      if (type === "ArrowFunctionExpression") parentheses.push([start, "("], [end, ")"]);
      if (typeof node === "object" && node) Object.values(node).forEach(visit);
    };
    visit(this.parse(code));
    let wrapped = "";
    let done = 0;
    for (const [at, text] of parentheses.toSorted(([a], [b]) => a - b)) {
      wrapped += code.slice(done, at) + text;
      done = at;
    }
    return wrapped + code.slice(done);
  },
};

export default defineConfig({
  plugins: [besideMain, functionsCompiledEarly],
  resolve: {
    alias: {
      "people-tracking-sdk/live-chat": fromHere("dist/live-chat/index.js"),
      "people-tracking-sdk": fromHere("dist/index.js"),
      // The package's own entry is written for ES5, and refuses to stand beside another Dexie on the page.
      dexie: "dexie/dist/modern/dexie.mjs",
    },
  },
  // `npm run dev` serves the page; the service behind it is that of an `npm start` beside it.
  server: { proxy: { "/people": "http://127.0.0.1:4173", "/demo": "http://127.0.0.1:4173" } },
  environments: {
    main,
    pageHost,
    liveChat,
    worker,
    serviceWorker,
    backgroundSync,
    // The playground, which Vite calls `client`: index.html → playground/dist/client.
    // Nothing inlined: the page's policy allows files of its own origin and no `data:` URLs.
    client: { build: { outDir: "playground/dist/client", emptyOutDir: true, assetsInlineLimit: 0 } },
  },
  builder: {
    async buildApp(builder) {
      for (const name of [
        "main",
        "pageHost",
        "liveChat",
        "worker",
        "serviceWorker",
        "backgroundSync",
        "client",
      ]) {
        await builder.build(builder.environments[name]);
      }
    },
  },
});
