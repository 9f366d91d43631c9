/**
 * The plugin for Vite and Rollup. It puts the package's worker files into the site, and makes their URLs the defaults of
 * the tracker's options.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Plugin } from "vite";
import { fileUrls, type PeopleTrackingPluginOptions } from "./file-urls.js";
import { moduleWithDefaults } from "./module-with-defaults.js";

export type { PeopleTrackingPluginOptions } from "./file-urls.js";

/** A plugin of Vite 6 or later, or of Rollup 4. Their types are not needed to use it. */
export interface PeopleTrackingPlugin {
  name: string;
}

const PACKAGE = "people-tracking-sdk";
/** The module that stands in for the package; what follows is the id of the real one. */
const PREFIX = `\0${PACKAGE}:`;

/** The package's own modules, such as its bindings, import it by its file. */
const isPackage = (source: string, importer = ""): boolean =>
  source === PACKAGE
    ? !importer.startsWith(PREFIX)
    : source === "./index.js" && importer.startsWith(`${DIST}/`);

const DIST = import.meta.dirname.replaceAll("\\", "/");

const readDistFile = (name: string): Promise<Buffer> => readFile(join(import.meta.dirname, name));

/**
 * Puts `service-worker.js` at the root of the site, serves it in development, and sets `serviceWorkerUrl`. With Rollup,
 * which does not find workers, it does the same with `worker.js` and `workerUrl`. An option that the site sets itself wins.
 *
 * @example
 * // vite.config.ts
 * import { peopleTracking } from "people-tracking-sdk/vite";
 * export default { plugins: [peopleTracking()] };
 */
export function peopleTracking(options: PeopleTrackingPluginOptions = {}): PeopleTrackingPlugin {
  let urls = fileUrls(options, { findsWorkers: false, base: "/" });

  const plugin: Plugin = {
    name: PACKAGE,
    enforce: "pre",
    // Servers register no workers.
    applyToEnvironment: ({ config }) => config.consumer === "client",
    config: () => ({
      // A bundled dependency is another file, beside which there is no worker.
      optimizeDeps: { exclude: [PACKAGE] },
    }),
    configResolved({ base, logger }) {
      urls = fileUrls(options, { findsWorkers: true, base });
      if (urls.problem) logger.warn(`[${PACKAGE}] ${urls.problem}`);
    },
    configureServer({ middlewares }) {
      middlewares.use((request, response, next) => {
        const { pathname } = new URL(request.url ?? "", "http://site");
        const file = urls.files.find(({ url }) => url === pathname);
        if (!file) return next();
        response.setHeader("Content-Type", "text/javascript");
        response.setHeader("Cache-Control", "no-cache");
        readDistFile(file.name).then((content) => response.end(content), next);
      });
    },
    async resolveId(source, importer, { ...rest }) {
      if (!isPackage(source, importer)) return null;
      const real = await this.resolve(source, importer, { ...rest, skipSelf: true });
      return real && !real.external ? `${PREFIX}${real.id}` : real;
    },
    load: (id) => (id.startsWith(PREFIX) ? moduleWithDefaults(id.slice(PREFIX.length), urls.defaults) : null),
    async generateBundle() {
      for (const { name } of urls.files)
        this.emitFile({ type: "asset", fileName: name, source: await readDistFile(name) });
    },
  };
  return plugin;
}

export default peopleTracking;
