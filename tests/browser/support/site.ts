/**
 * A site with the tracker: the built SDK, a page that uses it, and the real People service below `/people` of the same
 * origin. The service can be made unreachable (its sockets are cut), and single answers can be replaced.
 */
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { buffer } from "node:stream/consumers";
import { gunzipSync } from "node:zlib";
import { SignJWT } from "jose";
import type { BatchRequest, Operation } from "../../../src/protocol/wire.js";
import type { PeopleService, TimelineEntry } from "../../../server/src/index.js";
import { createPeopleService } from "../../../server/src/index.js";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const FOLDERS: Record<string, string> = {
  "/sdk/": join(ROOT, "dist"),
  "/fixture/": join(ROOT, "tests/browser/fixture"),
};
const TYPES: Record<string, string> = { ".js": "text/javascript", ".html": "text/html; charset=utf-8" };

const WIDGET = {
  id: "fixture-widget",
  keys: [{ id: "fixture-key", secret: "fixture secret of enough length" }],
};

export interface SiteRequest {
  method: string;
  path: string;
  /** Of a batch. */
  operations: readonly Operation[];
  /** `null` where the connection was cut. */
  status: number | null;
}

/** An answer given in the service's stead; `cut` breaks the connection after the service has done its work. */
export type Answer = { status: number; headers?: Record<string, string>; body: string } | "cut";
export type Interceptor = (request: SiteRequest) => Answer | undefined;

export interface Site {
  readonly origin: string;
  readonly service: PeopleService;
  /** Carries exactly the tracking scope. */
  readonly trackingKey: string;
  /** What reached the service's path, in order. */
  readonly requests: readonly SiteRequest[];
  /** Cuts, or no longer cuts, every connection to the service. */
  setReachable(reachable: boolean): void;
  /** Lets some requests be answered otherwise; `undefined` lets one through. */
  intercept(interceptor: Interceptor | null): void;
  /** A person's timeline as an admin reads it. */
  timeline(personId: string): Promise<TimelineEntry[]>;
  /** All persons' timelines. */
  timelines(): Promise<TimelineEntry[][]>;
  person(personId: string): Promise<Record<string, unknown>>;
  /** A JWT of the widget's backend for the person with this e-mail address. */
  jwt(email: string): Promise<string>;
  close(): Promise<void>;
}

const serveFile = async (path: string, response: ServerResponse, options: SiteOptions): Promise<void> => {
  const { script } = options;
  const folders = { ...FOLDERS, ...options.folders };
  const prefix = Object.keys(folders).find((folder) => path.startsWith(folder));
  const file = prefix
    ? join(folders[prefix] as string, normalize(`/${path.slice(prefix.length)}`))
    : join(ROOT, "tests/browser/fixture/index.html");
  try {
    const content = await readFile(file);
    response.writeHead(200, { "Content-Type": TYPES[extname(file)] ?? "application/octet-stream" });
    if (prefix || !script) return void response.end(content);
    response.end(`${content.toString()}<script type="module" src="${script}"></script>`);
  } catch {
    response.writeHead(404).end();
  }
};

const operationsOf = (path: string, body: Buffer, encoding: string | undefined): Operation[] => {
  if (!path.endsWith("/v1/batches")) return [];
  const json = encoding === "gzip" ? gunzipSync(body) : body;
  return (JSON.parse(json.toString()) as BatchRequest).operations;
};

const toRequest = (request: IncomingMessage, body: Buffer): Request =>
  new Request(`http://site${request.url}`, {
    method: request.method ?? "GET",
    headers: Object.entries(request.headers).map(
      ([name, value]) => [name, String(value)] as [string, string],
    ),
    ...(body.length > 0 && { body: new Uint8Array(body) }),
  });

/** Takes seconds to start. */
export const startService = (): Promise<PeopleService> =>
  createPeopleService({ widgets: [WIDGET], sweepIntervalMs: 0 });

export interface SiteOptions {
  /** One that is running and goes on after the site; without it, the site has its own. */
  service?: PeopleService;
  /** A URL that every page loads besides. */
  script?: string | undefined;
  /** What it serves besides: folders by the path before their files, with a slash at both ends. */
  folders?: Record<string, string>;
}

export const startSite = async (options: SiteOptions = {}): Promise<Site> => {
  const service = options.service ?? (await startService());
  const { key: trackingKey } = await service.keys.create({ scopes: ["web:tracking:sdk"] });
  const { key: adminKey } = await service.keys.create({ scopes: ["people:read"] });
  await service.definitions.put({ id: "action", properties: { name: "string", label: "string" } });
  await service.definitions.put({ id: "numbered", properties: { n: "numeric", padding: "string" } });

  const requests: SiteRequest[] = [];
  let reachable = true;
  let interceptor: Interceptor | null = null;

  const callService = async (request: IncomingMessage, response: ServerResponse, path: string) => {
    const body = await buffer(request);
    const operations = operationsOf(path, body, request.headers["content-encoding"]);
    const entry: SiteRequest = { method: request.method ?? "", path, operations, status: null };
    requests.push(entry);
    if (!reachable) return void request.socket.destroy();
    const instead = interceptor?.(entry);
    if (instead && instead !== "cut") {
      entry.status = instead.status;
      return void response.writeHead(instead.status, instead.headers).end(instead.body);
    }
    const answer = await service.fetch(toRequest(request, body));
    const text = await answer.text();
    if (instead === "cut") return void request.socket.destroy();
    entry.status = answer.status;
    response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(text || undefined);
  };

  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://site").pathname;
    if (!path.startsWith("/people/")) return void serveFile(path, response, options);
    callService(request, response, path).catch(() => request.socket.destroy());
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const read = async (path: string): Promise<unknown> => {
    const url = `http://site/people/v1/persons${path && `/${path}`}`;
    const answer = await service.fetch(new Request(url, { headers: { Authorization: `App ${adminKey}` } }));
    if (!answer.ok) throw new Error(`GET ${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  };

  const timeline = async (personId: string): Promise<TimelineEntry[]> => {
    const entries: TimelineEntry[] = [];
    for (let after = ""; ;) {
      const page = (await read(`${personId}/timeline${after && `?after=${after}`}`)) as TimelinePage;
      entries.push(...page.entries);
      if (page.next === null) return entries;
      after = page.next;
    }
  };

  return {
    origin,
    service,
    trackingKey,
    requests,
    setReachable: (value) => (reachable = value),
    intercept: (value) => (interceptor = value),
    timeline,
    async timelines() {
      const { persons } = (await read("")) as { persons: { id: string }[] };
      return Promise.all(persons.map(({ id }) => timeline(id)));
    },
    person: (personId) => read(personId) as Promise<Record<string, unknown>>,
    jwt: (email) =>
      new SignJWT({ stp: "email", ski: WIDGET.keys[0]?.id })
        .setProtectedHeader({ alg: "HS256" })
        .setIssuer(WIDGET.id)
        .setSubject(email)
        .setJti(randomUUID())
        .setIssuedAt()
        .setExpirationTime("5m")
        .sign(new TextEncoder().encode(WIDGET.keys[0]?.secret)),
    async close() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
      if (!options.service) await service.close();
    },
  };
};

interface TimelinePage {
  entries: TimelineEntry[];
  next: string | null;
}
