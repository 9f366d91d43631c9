import type { HostKind } from "../../protocol/api.js";
import { describe } from "../outcome.js";
import { trustedScriptUrl } from "./trusted-script-url.js";

/** Where the messages of a host come from and go to. */
export type HostPort = MessagePort | Worker;

/**
 * Starts a host of one kind. Its callers see no difference between the three kinds.
 *
 * @param onError gets the reason why the host cannot start. For a refused worker script browsers give no more than the fact, and
 *   some not even that: callers set a timeout.
 * @throws where the browser refuses at once
 */
export const openHost = (
  kind: HostKind,
  name: string,
  workerUrl: string | undefined,
  onError: (why: string) => void,
): HostPort => {
  if (kind === "page") {
    const { port1, port2 } = new MessageChannel();
    import("../../worker/page-host.js").then(
      (chunk) => chunk.startPageHost(port2),
      (thrown: unknown) => onError(describe(thrown)),
    );
    return port1;
  }
  const worker = openWorker(
    // The bundled URL is replaced by the site's own, and either one is made trusted.
    function (bundled: URL, options: WorkerOptions) {
      const url = trustedScriptUrl(workerUrl ?? bundled.href);
      return kind === "shared" ? new SharedWorker(url, options) : new Worker(url, options);
    } as unknown as WorkerConstructor,
    name,
  );
  worker.addEventListener("error", () => onError("its script did not load"));
  return "port" in worker ? worker.port : worker;
};

export const closeHost = (port: HostPort): void => {
  if ("terminate" in port) port.terminate();
  else port.close();
};

type WorkerConstructor = new (url: URL, options: WorkerOptions) => SharedWorker | Worker;

/*
 * Bundlers find a worker by the text of its construction: `new SharedWorker(new URL("…", import.meta.url), {…})`, once,
 * with a literal URL and options. The constructor comes as a parameter of the global one's name, so that the same text
 * serves a dedicated worker and a site's own URL too, and pages that require Trusted Types, which refuse a plain URL.
 *
 * Tabs that give other options under one URL and name get an `error` event: what changes in them raises
 * PROTOCOL_VERSION, which is part of the name.
 */
const openWorker = (SharedWorker: WorkerConstructor, name: string): SharedWorker | Worker =>
  new SharedWorker(new URL("./worker.js", import.meta.url), {
    type: "module",
    name,
    extendedLifetime: true,
  } as WorkerOptions);
