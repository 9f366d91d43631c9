export interface PeopleTrackingPluginOptions {
  /**
   * `true` (the default): the package's service worker, at the root of the site. The URL of the site's own service worker,
   * such as `/sw.js`: that one calls `importScripts("/background-sync.js")`, and the plugin puts that file there. `false`:
   * no service worker, and no Background Sync.
   */
  serviceWorker?: boolean | string;
}

interface FileUrls {
  /** The package's files that the site serves at its root. */
  files: { name: string; url: string }[];
  /** Defaults of the tracker's options. */
  defaults: { workerUrl?: string; serviceWorkerUrl?: string };
  /** For the developer. */
  problem?: string;
}

/** @param site - where the site's root is, and whether its bundler finds workers by itself */
export function fileUrls(
  { serviceWorker = true }: PeopleTrackingPluginOptions,
  { base, findsWorkers }: { base: string; findsWorkers: boolean },
): FileUrls {
  const at = (name: string) => ({ name, url: `${base}${name}` });
  const worker = findsWorkers ? undefined : at("worker.js");
  const workerUrls: FileUrls = {
    files: worker ? [worker] : [],
    defaults: worker ? { workerUrl: worker.url } : {},
  };
  if (!serviceWorker) return workerUrls;
  if (/^(https?:)?\/\//.test(base) && serviceWorker === true)
    return {
      ...workerUrls,
      problem: `pages cannot register a service worker of another origin, and "base" is ${base}: serve one at the site's own origin and name its URL in the option serviceWorker, or set that to false`,
    };
  const file = at(serviceWorker === true ? "service-worker.js" : "background-sync.js");
  return {
    files: [...workerUrls.files, file],
    defaults: {
      ...workerUrls.defaults,
      serviceWorkerUrl: serviceWorker === true ? file.url : serviceWorker,
    },
  };
}
