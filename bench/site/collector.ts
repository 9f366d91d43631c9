/** The server of the benchmark. It serves the sites, and below /collect/ it is the service of each tracker and counts events. */
import { readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { extname, join, normalize } from "node:path";
import { buffer } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { SITES } from "./build-sites.js";
import { PeopleCollector } from "./people-collector.js";
import { plain, sequencesIn } from "./sequences.js";

const TYPES: Record<string, string> = { ".js": "text/javascript", ".html": "text/html; charset=utf-8" };
/** Cross-origin isolation: an isolated page has a clock resolution of 5 µs instead of 100. */
const ISOLATED = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

/** The successful response of each tracker's service. */
const ANSWERS: Record<string, (events: number, bytes: number) => { status: number; body: object | string }> =
  {
    amplitude: (events, bytes) => ({
      status: 200,
      body: { code: 200, events_ingested: events, payload_size_bytes: bytes, server_upload_time: Date.now() },
    }),
    datadog: () => ({ status: 202, body: {} }),
    faro: () => ({ status: 202, body: "" }),
    "floor-sent": () => ({ status: 200, body: "" }),
    "floor-stored": () => ({ status: 200, body: "" }),
    mixpanel: () => ({ status: 200, body: { status: 1, error: null } }),
    posthog: () => ({ status: 200, body: { status: "Ok" } }),
    rudderstack: () => ({ status: 200, body: "OK" }),
    segment: () => ({ status: 200, body: { success: true } }),
    snowplow: () => ({ status: 200, body: "ok" }),
  };

/** All that went over the server's connections: every request of any kind, request lines, headers, bodies and answers. */
export interface Wire {
  requests: number;
  bytesUp: number;
  bytesDown: number;
}

export interface LoadedFile {
  /** The path in the folder of the built sites. */
  path: string;
  /** `Sec-Fetch-Dest`: "script", "worker", "sharedworker". */
  destination: string;
  at: number;
}

export class Collector {
  readonly origin: string;
  /** Scripts that pages and workers have loaded. */
  readonly loaded: LoadedFile[] = [];
  /** Requests to the trackers' services, by their path below /collect/. */
  readonly requests = new Map<string, number>();
  /** The bodies as received, compressed if the tracker compresses. */
  bytes = 0;
  /** A script that runs before that of every worker. */
  beforeWorkers = "";
  /** The arrival of the last event that is not a duplicate. */
  lastArrivalAt = 0;
  readonly #server;
  /** Closed ones too: they keep their counts. */
  readonly #connections: Socket[] = [];
  #allRequests = 0;
  readonly #times = new Map<number, number>();
  readonly #people = new PeopleCollector();
  #waiting: { count: number; resolve: (all: boolean) => void } | undefined;

  static async start(): Promise<Collector> {
    const server = createServer();
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    return new Collector(server);
  }

  private constructor(server: ReturnType<typeof createServer>) {
    this.#server = server;
    this.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on("connection", (socket: Socket) => this.#connections.push(socket));
    server.on("request", (request, response) => {
      this.#allRequests++;
      this.#handle(request, response).catch((error: unknown) => {
        console.error(request.url, error);
        response.destroy();
      });
    });
  }

  /** So far. */
  get wire(): Wire {
    const sum = (counter: "bytesRead" | "bytesWritten"): number =>
      this.#connections.reduce((bytes, socket) => bytes + socket[counter], 0);
    return { requests: this.#allRequests, bytesUp: sum("bytesRead"), bytesDown: sum("bytesWritten") };
  }

  /** How many of the events have come, and how many came again. */
  get counts(): { delivered: number; duplicated: number } {
    let duplicated = 0;
    for (const times of this.#times.values()) duplicated += times - 1;
    return { delivered: this.#times.size, duplicated };
  }

  /** @returns whether this many different events arrived in time */
  arrived(count: number, timeoutMs: number): Promise<boolean> {
    if (this.#times.size >= count) return Promise.resolve(true);
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), timeoutMs);
      this.#waiting = {
        count,
        resolve: (all) => {
          clearTimeout(timer);
          resolve(all);
        },
      };
    });
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((closed) => this.#server.close(closed));
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? "/", this.origin);
    if (pathname.startsWith("/collect/")) return this.#collect(request, response, pathname);
    return this.#serve(request, response, pathname);
  }

  async #collect(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    const body = await buffer(request);
    const [, , service = ""] = path.split("/");
    this.requests.set(service, (this.requests.get(service) ?? 0) + 1);
    this.bytes += body.length;
    const text = plain(body).toString();
    const sequences = sequencesIn(text);
    this.#count(sequences);
    const { status, body: answer } =
      service === "ours"
        ? this.#people.answer(path, text)
        : (ANSWERS[service]?.(sequences.length, body.length) ?? { status: 404, body: "" });
    const content = Buffer.from(typeof answer === "string" ? answer : JSON.stringify(answer));
    // As the reference service does.
    const compressed = content.length >= 1024 && path.endsWith("/v1/batches");
    response
      .writeHead(status, {
        "Content-Type": "application/json",
        ...(compressed && { "Content-Encoding": "gzip" }),
        ...ISOLATED,
      })
      .end(compressed ? gzipSync(content) : content);
  }

  #count(sequences: number[]): void {
    for (const sequence of sequences) {
      const times = this.#times.get(sequence) ?? 0;
      if (!times) this.lastArrivalAt = performance.now();
      this.#times.set(sequence, times + 1);
    }
    if (this.#waiting && this.#times.size >= this.#waiting.count) this.#waiting.resolve(true);
  }

  async #serve(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    const page = /^\/visit\/([\w-]+)$/.exec(path);
    if (page) {
      const scripts = ["page", page[1]].map(
        (site) => `<script type="module" src="/${site}/entry.js"></script>`,
      );
      const html = `<!doctype html><html lang="en"><title>Benchmark</title>${scripts.join("")}</html>`;
      response.writeHead(200, { "Content-Type": "text/html; charset=utf-8", ...ISOLATED }).end(html);
      return;
    }
    const file = join(SITES, normalize(path));
    try {
      const content = await readFile(file);
      const destination = String(request.headers["sec-fetch-dest"]);
      this.loaded.push({ path, destination, at: performance.now() });
      response.writeHead(200, {
        "Content-Type": TYPES[extname(file)] ?? "text/plain",
        // As sites serve bundled files: the browser caches the file and, after some visits, its compiled code.
        "Cache-Control": "public, max-age=31536000, immutable",
        ...ISOLATED,
      });
      response.end(destination.endsWith("worker") ? this.beforeWorkers + content.toString() : content);
    } catch {
      response.writeHead(404, ISOLATED).end();
    }
  }
}
