import { randomUUID } from "node:crypto";
import { gzipSync } from "node:zlib";
import type { EventOperation } from "../../src/protocol/wire.js";

/** The custom event that fills the batches. */
export const DEFINITION = {
  id: "productViewed",
  properties: { article: "string", category: "string", price: "decimal", count: "numeric" },
} as const;

/** Events of about 300 bytes, as the tracker sends them: all of one session, a second apart until now. */
export function newEvents(count: number, sessionId: string): EventOperation[] {
  const now = Date.now();
  return Array.from({ length: count }, (_, index) => ({
    id: randomUUID(),
    type: "event",
    occurredAt: new Date(now - (count - index) * 1000).toISOString(),
    sessionId,
    definitionId: DEFINITION.id,
    properties: { article: `shoe-${index}`, category: "outdoor", price: 59.5 + index, count: index % 7 },
    page: { url: `https://shop.example/outdoor/shoes?page=${index}`, title: "Shoes – Shop" },
  }));
}

export interface Body {
  headers: Record<string, string>;
  bytes: Buffer;
}

/** Compresses a body, as the tracker does if that is worth it. */
const COMPRESS_FROM_BYTES = 1024;

/** A batch as it goes over the wire. */
export function bodyOf(operations: readonly EventOperation[]): Body {
  const json = JSON.stringify({
    id: randomUUID(),
    sentAt: new Date().toISOString(),
    sdk: "people-tracking-sdk/bench",
    operations,
  });
  const bytes = Buffer.from(json);
  return bytes.length < COMPRESS_FROM_BYTES
    ? { headers: { "Content-Type": "application/json" }, bytes }
    : {
        headers: { "Content-Type": "application/json", "Content-Encoding": "gzip" },
        bytes: gzipSync(bytes),
      };
}
