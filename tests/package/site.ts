import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { getRequestListener } from "@hono/node-server";
import { inject } from "vitest";
import { createPeopleService } from "../../server/src/index.js";

const TYPES: Record<string, string> = { ".js": "text/javascript", ".html": "text/html; charset=utf-8" };

interface Operation {
  id: string;
  definitionId?: string;
  properties?: object;
}

export interface PackageSite {
  origin: string;
  key: string;
  /** The People service alone, for pages of another server. */
  handle: ReturnType<typeof getRequestListener>;
  /** What the service was sent and accepted, in order. */
  accepted: Operation[];
  close(): Promise<void>;
}

const bodyOf = async (message: Request | Response): Promise<string> => {
  const bytes = Buffer.from(await message.arrayBuffer());
  return (message.headers.get("Content-Encoding") === "gzip" ? gunzipSync(bytes) : bytes).toString();
};

/** A folder of files, with the real People service below `/people` of the same origin. */
export const startPackageSite = async (
  folder: string,
  headers: Record<string, string> = {},
): Promise<PackageSite> => {
  const snapshot = new Blob([await readFile(inject("snapshotPath"))]);
  const service = await createPeopleService({ database: { snapshot }, sweepIntervalMs: 0 });
  const { key } = await service.keys.create({ scopes: ["web:tracking:sdk"] });
  await service.definitions.put({ id: "action", properties: { name: "string" } });

  const accepted: Operation[] = [];
  const handle = getRequestListener(async (request) => {
    const isBatch = request.url.endsWith("/v1/batches");
    const sent = isBatch ? await bodyOf(request.clone()) : "";
    const response = await service.fetch(request);
    if (isBatch && response.ok) {
      const { operations } = JSON.parse(sent) as { operations: Operation[] };
      const { results } = JSON.parse(await bodyOf(response.clone())) as {
        results: { id: string; status: string }[];
      };
      const ids = new Set(results.filter(({ status }) => status === "accepted").map(({ id }) => id));
      accepted.push(...operations.filter(({ id }) => ids.has(id)));
    }
    return response;
  });

  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://site");
    if (pathname.startsWith("/people/")) return void handle(request, response);
    const file = join(folder, pathname === "/" ? "index.html" : pathname);
    readFile(file).then(
      (content) =>
        response
          .writeHead(200, { "Content-Type": TYPES[extname(file)] ?? "text/plain", ...headers })
          .end(content),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));

  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    key,
    handle,
    accepted,
    async close() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
      await service.close();
    },
  };
};
