/**
 * A site with the tracker: the built SDK, a page that uses it, and the real People service below `/people` of the same
 * origin, behind a proxy that can spoil any request.
 */
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { SignJWT } from "jose";
import { inject } from "vitest";
import type { PeopleService, TimelineEntry } from "../../../server/src/index.js";
import { createPeopleService } from "../../../server/src/index.js";
import type { TrackingOptions } from "../../../src/main/index.js";
import { defaultHost, pageScripts } from "./page-scripts.js";
import type { FaultName, Interceptor, SiteRequest } from "./fault-proxy.js";
import { createFaultProxy } from "./fault-proxy.js";
import type { SecureListener } from "./secure-listener.js";
import { listenSecurely } from "./secure-listener.js";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const FOLDERS: Record<string, string> = {
  "/sdk/": join(ROOT, "dist"),
  "/fixture/": join(ROOT, "tests/browser/fixture"),
  "/zone/": join(ROOT, "node_modules/zone.js/bundles"),
};
const TYPES: Record<string, string> = { ".js": "text/javascript", ".html": "text/html; charset=utf-8" };

/** Users of two widgets are two persons: each site has its own, for what others did is not its own users' past. */
const newWidget = () => ({
  id: `fixture-widget-${randomUUID()}`,
  keys: [{ id: "fixture-key", secret: "fixture secret of more than enough length" }] as const,
});

export interface Site {
  readonly origin: string;
  readonly service: PeopleService;
  /** Carries exactly the tracking scope. */
  readonly trackingKey: string;
  /** What reached the service's path, in order. */
  readonly requests: readonly SiteRequest[];
  /** How many of them each fault has struck. */
  readonly faults: ReadonlyMap<FaultName, number>;
  /** Cuts, or no longer cuts, every connection to the service. */
  setReachable(reachable: boolean): void;
  /** Lets some requests come to grief. */
  intercept(interceptor: Interceptor | null): void;
  /** The service at an https address of its own besides, with the same faults. */
  listenSecurely(): Promise<SecureListener>;
  /** A person's timeline as an admin reads it. */
  timeline(personId: string): Promise<TimelineEntry[]>;
  /** All persons' timelines, those of the service's other sites too. */
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
    response.writeHead(200, {
      "Content-Type": TYPES[extname(file)] ?? "application/octet-stream",
      // Frames without an origin of their own load modules as from another one.
      "Access-Control-Allow-Origin": "*",
    });
    if (prefix) return void response.end(content);
    const tracking = JSON.stringify({ ...defaultHost(), ...options.tracking });
    const before = [
      `<script>window.trackingDefaults = ${tracking};</script>`,
      ...pageScripts(options.isPatched).map((src) => `<script src="${src}"></script>`),
    ];
    const after = script ? `<script type="module" src="${script}"></script>` : "";
    response.end(content.toString().replace("<head>", `<head>${before.join("")}`) + after);
  } catch {
    response.writeHead(404).end();
  }
};

/** On a copy of the run's prepared database. */
export const startService = async (): Promise<PeopleService> => {
  const snapshot = new Blob([await readFile(inject("snapshotPath"))]);
  return createPeopleService({ database: { snapshot }, sweepIntervalMs: 0, corsOrigins: ["*"] });
};

const usedPorts = new Set<number>();

/** A browser may know the origin of a port that was used before, and keep a chat, a journal or an outbox of then. */
const listenOnNewPort = async (server: Server, address: string): Promise<number> => {
  for (;;) {
    await new Promise<void>((listening) => server.listen(0, address, listening));
    const { port } = server.address() as AddressInfo;
    if (!usedPorts.has(port)) {
      usedPorts.add(port);
      return port;
    }
    await new Promise((closed) => server.close(closed));
  }
};

export interface SiteOptions {
  /** One that is running and goes on after the site; without it, the site has its own. */
  service?: PeopleService;
  /** Every page has libraries that patch everything; in the project `hostile` all sites are like that. */
  isPatched?: boolean;
  /** For the trackers of its pages, where a test does not say otherwise. */
  tracking?: TrackingOptions;
  /** A URL that every page loads besides. */
  script?: string | undefined;
  /** What it serves besides: folders by the path before their files, with a slash at both ends. */
  folders?: Record<string, string>;
  /** Where it listens, if not on the loopback interface. */
  address?: string;
}

export const startSite = async (options: SiteOptions = {}): Promise<Site> => {
  const { address = "127.0.0.1" } = options;
  const service = options.service ?? (await startService());
  const widget = newWidget();
  service.widgets.put(widget);
  const { key: trackingKey } = await service.keys.create({ scopes: ["web:tracking:sdk"] });
  const { key: adminKey } = await service.keys.create({ scopes: ["people:read"] });
  await service.definitions.put({ id: "action", properties: { name: "string", label: "string" } });
  await service.definitions.put({ id: "numbered", properties: { n: "numeric", padding: "string" } });

  const proxy = createFaultProxy(service);
  const listeners = new Set<SecureListener>();

  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://site").pathname;
    if (!path.startsWith("/people/")) return void serveFile(path, response, options);
    proxy.handle(request, response);
  });
  const origin = `http://${address}:${await listenOnNewPort(server, address)}`;

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
    requests: proxy.requests,
    faults: proxy.faults,
    setReachable: proxy.setReachable,
    intercept: proxy.intercept,
    async listenSecurely() {
      const listener = await listenSecurely(proxy.handle);
      listeners.add(listener);
      return listener;
    },
    timeline,
    async timelines() {
      const { persons } = (await read("")) as { persons: { id: string }[] };
      return Promise.all(persons.map(({ id }) => timeline(id)));
    },
    person: (personId) => read(personId) as Promise<Record<string, unknown>>,
    jwt: (email) =>
      new SignJWT({ stp: "email", ski: widget.keys[0].id })
        .setProtectedHeader({ alg: "HS256" })
        .setIssuer(widget.id)
        .setSubject(email)
        .setJti(randomUUID())
        .setIssuedAt()
        .setExpirationTime("5m")
        .sign(new TextEncoder().encode(widget.keys[0].secret)),
    async close() {
      await Promise.all([...listeners].map((listener) => listener.close()));
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
