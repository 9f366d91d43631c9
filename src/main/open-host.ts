import type { HostKind } from "../protocol/api.js";
import type { HostEndpoint } from "./host-at.js";
import { describe } from "./outcome.js";

export interface OpenHost {
  endpoint: HostEndpoint;
  close(): void;
}

/**
 * Starts a host of one kind and answers the border to it; all three look the same.
 *
 * @param fail is told when the host cannot start. A refused worker script says nothing more than that, and some browsers
 *   say nothing at all: callers arm a time-out.
 * @throws where the browser refuses at once
 */
export const openHost = (
  kind: HostKind,
  name: string,
  workerUrl: string | undefined,
  fail: (why: string) => void,
): OpenHost => {
  const onError = () => fail("its script did not load");
  if (kind === "shared") {
    const worker = openSharedWorker(trusting(SharedWorker, workerUrl), name);
    worker.addEventListener("error", onError);
    return { endpoint: worker.port, close: () => worker.port.close() };
  }
  if (kind === "dedicated") {
    const worker = openWorker(trusting(Worker, workerUrl), name);
    worker.addEventListener("error", onError);
    return { endpoint: worker, close: () => worker.terminate() };
  }
  const { port1, port2 } = new MessageChannel();
  import("../worker/page-host.js").then(
    ({ startPageHost }) => startPageHost(port2),
    (thrown: unknown) => fail(describe(thrown)),
  );
  return { endpoint: port1, close: () => port1.close() };
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

interface Policy {
  createScriptURL(url: string): string;
}

/** One for the page: a policy's name can be taken once, unless the site allows duplicates. */
let policy: Policy | undefined;

export const trust = (url: string): string => {
  const { trustedTypes } = globalThis as unknown as {
    trustedTypes: { createPolicy(name: string, rules: Policy): Policy };
  };
  try {
    policy ??= trustedTypes.createPolicy("people-tracking-sdk", { createScriptURL: (given) => given });
    return policy.createScriptURL(url);
  } catch {
    // This browser has none, the name is the page's own variable or element, or the site's `trusted-types` does not name
    // our policy; it may still not require them.
    return url;
  }
};

/** A worker's constructor that sees to the URL itself. */
const trusting = <Kind extends SharedWorker | Worker>(
  construct: new (url: string, options: WorkerOptions) => Kind,
  workerUrl: string | undefined,
) =>
  function (bundled: URL, options: WorkerOptions): Kind {
    return new construct(trust(workerUrl ?? bundled.href), options);
  } as unknown as Construct<Kind>;
