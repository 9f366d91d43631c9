import { mkdtemp, rm } from "node:fs/promises";
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "drizzle-orm";
import { describe, expect, inject, onTestFinished, test } from "vitest";
import { rowsOf } from "../../src/database/database.js";
import { openDatabase } from "../../src/database/open-database.js";
import { createPeopleService } from "../../src/index.js";
import { pageView } from "../support/operations.js";
import { preparedFolder } from "../support/prepared-folder.js";
import { startPostgres } from "../support/start-postgres.js";
import { newDatabase, onEachDriver, START, startService } from "../support/start-service.js";

const atStart = (): number => START;

const temporaryFolder = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), "people-data-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
};

/** Starts a proxy to the database that can break its connections. */
async function startLink(url: string) {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  let isCut = false;
  const server = createServer((near) => {
    if (isCut) return near.destroy();
    const far = connect(Number(target.port), target.hostname);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on("error", () => other.destroy()).on("close", () => other.destroy());
      one.pipe(other);
    }
    return near;
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
  });
  const through = new URL(url);
  through.port = String((server.address() as AddressInfo).port);
  return {
    url: through.href,
    cut: () => {
      isCut = true;
      for (const socket of sockets) socket.destroy();
    },
    mend: () => {
      isCut = false;
    },
  };
}

describe("persistence", () => {
  onEachDriver((driver) => {
    test("acknowledged data survives a restart, registrations and keys included", async () => {
      const database = driver === "PGlite" ? { dataDir: await preparedFolder() } : await newDatabase(driver);
      const first = await createPeopleService({ database, clock: atStart });
      const { key } = await first.keys.create({ scopes: ["web:tracking:sdk"] });
      const send = (service: typeof first, path: string, authorization: string, body: unknown) =>
        service.fetch(
          new Request(`http://service.test/people${path}`, {
            method: "POST",
            headers: { authorization },
            body: JSON.stringify(body),
          }),
        );
      const chat = (await (await send(first, "/v1/live-chat/sessions", "", {})).json()) as {
        token: string;
        person: { id: string };
      };
      const registration = (await (
        await send(first, "/v1/registrations", `App ${key}`, {
          profile: chat.person,
          liveChatToken: chat.token,
        })
      ).json()) as { token: string };
      const batch = {
        id: "batch",
        sentAt: new Date(START).toISOString(),
        sdk: "test",
        operations: [pageView(START)],
      };
      expect((await send(first, "/v1/batches", `Bearer ${registration.token}`, batch)).status).toBe(200);
      await first.close();

      const second = await createPeopleService({ database, clock: atStart });
      onTestFinished(() => second.close());
      const answer = await send(second, "/v1/batches", `Bearer ${registration.token}`, batch);
      expect(await answer.json()).toMatchObject({ results: [{ status: "duplicate" }] });
      expect((await send(second, "/v1/registrations", `App ${key}`, { profile: chat.person })).status).toBe(
        403,
      );
    });

    test("the migrations create every table, and a second run changes nothing", async () => {
      const database = driver === "PGlite" ? { dataDir: await temporaryFolder() } : await newDatabase(driver);
      const tables = async () => {
        const { db, close } = await openDatabase(database, {
          onError: () => undefined,
          onWaiting: () => undefined,
        });
        const rows = await rowsOf<{ name: string }>(
          db,
          sql`select table_name as name from information_schema.tables where table_schema = 'public' order by 1`,
        );
        await close();
        return rows.map(({ name }) => name);
      };
      const once = await tables();
      expect(once).toEqual([
        "api_keys",
        "definitions",
        "events",
        "kept_operation_ids",
        "live_chat_sessions",
        "live_chat_tokens",
        "operation_ids",
        "profiles",
        "registrations",
        "sessions",
        "used_jwt_ids",
      ]);
      expect(await tables()).toEqual(once);
    });

    test("a lost database is a 503 with the error body", async () => {
      const { service, call } = await startService(driver);
      await service.close();
      expect(await call("GET", "/healthz")).toMatchObject({
        status: 503,
        body: { error: { name: "UnavailableError", origin: "people-service" } },
      });
    });
  });

  test("a PGlite folder is locked by one service at a time", async () => {
    const dataDir = await preparedFolder();
    const first = await createPeopleService({ database: { dataDir } });
    await expect(createPeopleService({ database: { dataDir } })).rejects.toThrow(/in use by another process/);
    await first.close();
    const second = await createPeopleService({ database: { dataDir } });
    await second.close();
  });

  test.skipIf(!inject("postgresUrl"))(
    "several services that start at once on one PostgreSQL migrate once",
    async () => {
      const database = await newDatabase("PostgreSQL");
      const services = await Promise.all([1, 2, 3].map(() => createPeopleService({ database })));
      const { key } = await services[0]!.keys.create({ scopes: ["people:read"] });
      expect(await services[2]!.keys.find(key)).toMatchObject({ scopes: ["people:read"] });
      await Promise.all(services.map((service) => service.close()));
    },
  );

  test.skipIf(!inject("postgresUrl"))(
    "the service recovers by itself when PostgreSQL comes back",
    async () => {
      const database = (await newDatabase("PostgreSQL")) as { url: string };
      const link = await startLink(database.url);
      const subject = await startService("PostgreSQL", { database: { url: link.url } });
      const { write, person } = await subject.lead();
      const operation = pageView(START);
      link.cut();
      const refused = await subject.call("POST", "/v1/batches", {
        authorization: `Bearer ${write}`,
        body: { id: "batch", sentAt: new Date(START).toISOString(), sdk: "test", operations: [operation] },
      });
      expect(refused.status).toBe(503);
      link.mend();
      expect(await subject.statuses(write, [operation])).toEqual(["accepted"]);
      expect(await subject.timeline(person.id)).toHaveLength(1);
    },
  );

  test.skipIf(!inject("postgresUrl"))(
    "PostgreSQL crashes under the service's batches and starts again, and the service recovers by itself",
    async () => {
      const postgres = (await startPostgres())!;
      onTestFinished(postgres.remove);
      const subject = await startService("PostgreSQL", {
        database: { url: postgres.url },
        limits: { batchesAtOnce: 120 },
      });
      const { write, person } = await subject.lead();
      const operations = Array.from({ length: 120 }, () => pageView(START));
      const send = (operation: unknown) =>
        subject.call<{ results: { status: string }[] }>("POST", "/v1/batches", {
          authorization: `Bearer ${write}`,
          body: { id: "batch", sentAt: new Date(START).toISOString(), sdk: "test", operations: [operation] },
        });
      const sending = operations.map(send);
      await Promise.race(sending);
      await postgres.crash();
      const answers = await Promise.all(sending);
      const refused = answers.filter(({ status }) => status !== 200);
      expect(new Set(refused.map(({ status }) => status))).toEqual(new Set([503]));
      expect(await subject.call("GET", "/healthz")).toMatchObject({
        status: 503,
        body: { error: { name: "UnavailableError", origin: "people-service" } },
      });
      await postgres.start();
      expect((await subject.call("GET", "/healthz")).status).toBe(200);
      const kept = new Set((await subject.timeline(person.id)).map(({ id }) => id));
      const lost = operations.filter(({ id }, index) => answers[index]!.status === 200 && !kept.has(id));
      expect(lost).toEqual([]);
      await subject.send(write, operations);
      expect(await subject.timeline(person.id)).toHaveLength(120);
    },
  );

  test.skipIf(!inject("postgresUrl"))(
    "a connection that breaks within batches affects no other request",
    async () => {
      const database = (await newDatabase("PostgreSQL")) as { url: string };
      const link = await startLink(database.url);
      const subject = await startService("PostgreSQL", { database: { url: link.url } });
      const { write, person } = await subject.lead();
      const operations = Array.from({ length: 200 }, () => pageView(START));
      const attempts = await Promise.allSettled(
        operations.map((operation, index) => {
          if (index === 100) link.cut();
          return subject.send(write, [operation]);
        }),
      );
      const failures = attempts.flatMap((attempt) =>
        attempt.status === "rejected" ? [String(attempt.reason)] : [],
      );
      expect(failures.length).toBeGreaterThan(0);
      expect(failures.filter((failure) => !failure.includes("503"))).toEqual([]);
      link.mend();
      await subject.send(write, operations);
      expect(await subject.timeline(person.id)).toHaveLength(200);
    },
  );
});
