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
      ({ startPageHost }) => startPageHost(port2),
      (thrown: unknown) => onError(describe(thrown)),
    );
    return port1;
  }
  const worker =
    kind === "shared"
      ? openSharedWorker(withTrustedUrl(SharedWorker, workerUrl), name)
      : openWorker(withTrustedUrl(Worker, workerUrl), name);
  worker.addEventListener("error", () => onError("its script did not load"));
  return "port" in worker ? worker.port : worker;
};

export const closeHost = (port: HostPort): void => {
  if ("terminate" in port) port.terminate();
  else port.close();
};

/*
 * Bundlers find a worker by the text of its construction: `new SharedWorker(new URL("…", import.meta.url), {…})`, once,
 * with a literal URL and options. The constructors come as parameters of the global ones' names, so that the same text
 * serves a site's own URL too, and pages that require Trusted Types, which refuse a plain URL.
 *
 * Tabs that give other options under one URL and name get an `error` event: what changes in them raises
 * PROTOCOL_VERSION, which is part of the name.
 */
const openSharedWorker = (SharedWorker: Construct<SharedWorker>, name: string): SharedWorker =>
  new SharedWorker(new URL("./worker.js", import.meta.url), {
    type: "module",
    name,
    extendedLifetime: true,
  } as WorkerOptions);

const openWorker = (Worker: Construct<Worker>, name: string): Worker =>
  new Worker(new URL("./worker.js", import.meta.url), { type: "module", name });

type Construct<Kind> = new (url: URL, options: WorkerOptions) => Kind;

/** A worker's constructor that replaces the bundled URL by the site's own, and makes either one trusted. */
const withTrustedUrl = <Kind extends SharedWorker | Worker>(
  construct: new (url: string, options: WorkerOptions) => Kind,
  workerUrl: string | undefined,
) =>
  function (bundled: URL, options: WorkerOptions): Kind {
    return new construct(trustedScriptUrl(workerUrl ?? bundled.href), options);
  } as unknown as Construct<Kind>;
