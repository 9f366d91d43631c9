import { randomUUID } from "node:crypto";
import { expect } from "vitest";
import type { BatchAnswer, Operation } from "../../../src/protocol/wire.js";
import { createPeopleService, type DatabaseOptions } from "../../src/index.js";
import { pageView } from "./operations.js";
import { preparedFolder } from "./prepared-folder.js";
import type { DataPlace } from "./run-service.js";
import { newDatabase, type Driver } from "./start-service.js";

const CLIENTS = 3;
/** Concurrent batches of each client. */
const BATCHES_IN_FLIGHT = 3;
const OPERATIONS_PER_BATCH = 40;
/** Concurrent requests of all clients, each of which an interruption may break. */
export const IN_FLIGHT = CLIENTS * BATCHES_IN_FLIGHT;

export interface Client {
  person: string;
  token: string;
  sent: Operation[][];
  /** The batches of `sent` that were answered with 200. */
  answered: Set<Operation[]>;
}

export const fetchJson = async <Body>(url: string, authorization: string, body?: unknown): Promise<Body> => {
  const response = await fetch(url, {
    headers: { authorization },
    ...(body !== undefined && { method: "POST", body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return (await response.json()) as Body;
};

export const send = async (url: string, { token }: Client, operations: Operation[]) =>
  (
    await fetchJson<BatchAnswer>(`${url}/v1/batches`, `Bearer ${token}`, {
      id: randomUUID(),
      sentAt: new Date().toISOString(),
      sdk: "test",
      operations,
    })
  ).results;

/** Creates a database, unless one is given, with a key for tracking and one for reading. */
export async function newPlace(driver: Driver, given?: DatabaseOptions) {
  const database =
    given ?? (driver === "PGlite" ? { dataDir: await preparedFolder() } : await newDatabase(driver));
  const service = await createPeopleService({ database, sweepIntervalMs: 0 });
  const tracking = await service.keys.create({ scopes: ["web:tracking:sdk"] });
  const admin = await service.keys.create({ scopes: ["people:read"] });
  await service.close();
  const place: DataPlace =
    "url" in database ? { DATABASE_URL: database.url } : { DATA_DIR: database.dataDir! };
  return { place, trackingKey: tracking.key, adminKey: admin.key };
}

/** Creates leads, each with a registration. */
export const newClients = (url: string, trackingKey: string, count = CLIENTS) =>
  Promise.all(
    Array.from({ length: count }, async (): Promise<Client> => {
      const chat = await fetchJson<{ token: string; person: { kind: string; id: string } }>(
        `${url}/v1/live-chat/sessions`,
        "",
        {},
      );
      const { token } = await fetchJson<{ token: string }>(`${url}/v1/registrations`, `App ${trackingKey}`, {
        profile: chat.person,
        liveChatToken: chat.token,
      });
      return { person: chat.person.id, token, sent: [], answered: new Set() };
    }),
  );

/** Lets every client send batches until one fails. `interrupt` is called after so many successful responses. */
export async function sendUntilFailure(
  url: string,
  clients: Client[],
  answers: number,
  interrupt: () => Promise<void>,
) {
  let count = 0;
  let interrupted: Promise<void> | undefined;
  const failures: unknown[] = [];
  const loop = async (client: Client): Promise<void> => {
    for (;;) {
      const batch = Array.from({ length: OPERATIONS_PER_BATCH }, () => pageView(Date.now()));
      client.sent.push(batch);
      try {
        await send(url, client, batch);
      } catch (error) {
        failures.push(error);
        return;
      }
      client.answered.add(batch);
      if (++count >= answers) interrupted ??= interrupt();
    }
  };
  await Promise.all(
    clients.flatMap((client) => Array.from({ length: BATCHES_IN_FLIGHT }, () => loop(client))),
  );
  await interrupted;
  return failures;
}

export async function timelineIds(url: string, adminKey: string, { person }: Client): Promise<string[]> {
  const ids: string[] = [];
  for (let after: string | null = ""; after !== null;) {
    const page: { entries: { id: string }[]; next: string | null } = await fetchJson(
      `${url}/v1/persons/${person}/timeline?after=${after}`,
      `App ${adminKey}`,
    );
    ids.push(...page.entries.map(({ id }) => id));
    after = page.next;
  }
  return ids;
}

/** Asserts that acknowledged batches are complete, that batches are atomic and without duplicates, and resends the others. */
export async function checkAndResend(url: string, adminKey: string, clients: Client[]): Promise<void> {
  for (const client of clients) {
    const ids = await timelineIds(url, adminKey, client);
    const there = new Set(ids);
    expect(ids).toHaveLength(there.size);
    const missing = (batch: Operation[]) => batch.filter(({ id }) => !there.has(id)).length;
    expect([...client.answered].filter((batch) => missing(batch) > 0)).toEqual([]);
    for (const batch of client.sent.filter((sent) => !client.answered.has(sent))) {
      const gone = missing(batch);
      expect([0, batch.length]).toContain(gone);
      const results = await send(url, client, batch);
      const status = gone ? "accepted" : "duplicate";
      expect(results.map((result) => result.status)).toEqual(batch.map(() => status));
      client.answered.add(batch);
    }
    const all = client.sent.flat().map(({ id }) => id);
    expect((await timelineIds(url, adminKey, client)).toSorted()).toEqual(all.toSorted());
  }
}
