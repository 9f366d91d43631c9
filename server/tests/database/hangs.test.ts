import { sql } from "drizzle-orm";
import { Client } from "pg";
import { describe, expect, inject, onTestFinished, test } from "vitest";
import { isUnavailable, rowsOf } from "../../src/database/database.js";
import { openDatabase } from "../../src/database/open-database.js";
import { checkAndResend, newClients, newPlace, sendUntilFailure } from "../support/load.js";
import { pageView } from "../support/operations.js";
import { runService } from "../support/run-service.js";
import { startPostgres } from "../support/start-postgres.js";
import { newDatabase, startService, START } from "../support/start-service.js";

/** Short, so that the tests are fast; a healthy server answers sooner on any machine. */
const TIMEOUT_MS = 1_000;

const startOwnPostgres = async () => {
  const postgres = (await startPostgres())!;
  onTestFinished(postgres.remove);
  return postgres;
};

const silent = { onError: () => undefined, onWaiting: () => undefined };
const pidOf = sql`select pg_backend_pid() as pid`;

describe.skipIf(!inject("postgresUrl"))("while PostgreSQL hangs", () => {
  test("requests are answered with 503 and Retry-After, /livez with 200, and all goes on afterwards", async () => {
    const postgres = await startOwnPostgres();
    const { place, trackingKey, adminKey } = await newPlace("PostgreSQL", { url: postgres.url });
    const { url } = await runService(place, { DATABASE_TIMEOUT_MS: String(TIMEOUT_MS) });
    const clients = await newClients(url, trackingKey);
    const failures = await sendUntilFailure(url, clients, 5, postgres.suspend);
    expect(new Set(failures.map((failure) => /answered \d+$/.exec(String(failure))?.[0]))).toEqual(
      new Set(["answered 503"]),
    );
    const health = await fetch(`${url}/healthz`);
    expect({ status: health.status, retryAfter: health.headers.get("retry-after") }).toEqual({
      status: 503,
      retryAfter: "5",
    });
    expect((await fetch(`${url}/livez`)).status).toBe(200);
    postgres.resume();
    while (!(await fetch(`${url}/healthz`)).ok);
    await checkAndResend(url, adminKey, clients);
  });

  test("SIGTERM ends a service without pending requests", async () => {
    const postgres = await startOwnPostgres();
    const service = await runService({ DATABASE_URL: postgres.url });
    await fetch(`${service.url}/healthz`);
    await postgres.suspend();
    service.process.kill("SIGTERM");
    expect(await service.exited).toEqual([0, null]);
  });

  test("SIGTERM ends a service at the end of its grace, with code 1, if requests wait for longer", async () => {
    const postgres = await startOwnPostgres();
    const service = await runService(
      { DATABASE_URL: postgres.url },
      { DATABASE_TIMEOUT_MS: "600000", SHUTDOWN_GRACE_MS: "500" },
    );
    await postgres.suspend();
    const waiting = fetch(`${service.url}/v1/definitions`, { headers: { authorization: "Bearer x" } });
    const cutOff = waiting.then(
      () => false,
      () => true,
    );
    // The service has received the earlier request by now.
    await fetch(`${service.url}/livez`);
    service.process.kill("SIGTERM");
    expect(await service.exited).toEqual([1, null]);
    expect(await cutOff).toBe(true);
  });

  test("a connection that timed out is replaced, and its late response is discarded", async () => {
    const postgres = await startOwnPostgres();
    const { db, close } = await openDatabase(
      { url: postgres.url, connections: 1, timeoutMs: TIMEOUT_MS },
      silent,
    );
    onTestFinished(close);
    const [before] = await rowsOf<{ pid: number }>(db, pidOf);
    await postgres.suspend();
    const late = db.execute(sql`select 'late' as pid`).catch((error: unknown) => error);
    expect(isUnavailable(await late)).toBe(true);
    const inTransaction = db.transaction((tx) => tx.execute(pidOf)).catch((error: unknown) => error);
    expect(isUnavailable(await inTransaction)).toBe(true);
    postgres.resume();
    const [after] = await rowsOf<{ pid: number }>(db, pidOf);
    expect(after!.pid).not.toBe(before!.pid);
    expect(after!.pid).toEqual(expect.any(Number));
  });
});

describe.skipIf(!inject("postgresUrl"))("a row that is locked by a process that hangs", () => {
  test("is a 503 for who needs it, and nothing for others, until it is free", async () => {
    const { url } = (await newDatabase("PostgreSQL")) as { url: string };
    const subject = await startService("PostgreSQL", {
      database: { url, connections: 3, timeoutMs: TIMEOUT_MS },
    });
    const [one, other] = [await subject.lead(), await subject.lead()];
    const peer = new Client({ connectionString: url });
    await peer.connect();
    onTestFinished(() => peer.end());
    await peer.query("begin");
    await peer.query("select * from profiles where id = $1 for update", [one.person.id]);
    const refused = await subject.call("POST", "/v1/batches", {
      authorization: `Bearer ${one.write}`,
      body: {
        id: "batch",
        sentAt: new Date(START).toISOString(),
        sdk: "test",
        operations: [pageView(START)],
      },
    });
    expect({ status: refused.status, retryAfter: refused.headers.get("retry-after") }).toEqual({
      status: 503,
      retryAfter: "5",
    });
    expect(await subject.statuses(other.write, [pageView(START)])).toEqual(["accepted"]);
    await peer.query("rollback");
    expect(await subject.statuses(one.write, [pageView(START)])).toEqual(["accepted"]);
  });

  test("becomes free by itself where the process is another service", async () => {
    const options = { ...(await newDatabase("PostgreSQL")), timeoutMs: TIMEOUT_MS };
    const [suspended, other] = [await openDatabase(options, silent), await openDatabase(options, silent)];
    onTestFinished(suspended.close);
    onTestFinished(other.close);
    const change = sql`update definitions set title = 'changed'`;
    await other.db.execute(sql`insert into definitions (id, properties) values ('bought', '{}')`);
    const changeOnceFree = async (): Promise<void> => {
      for (;;)
        try {
          await other.db.execute(change);
          return;
        } catch (error) {
          if (!isUnavailable(error)) throw error;
        }
    };
    const transaction = suspended.db.transaction(async (tx) => {
      await tx.execute(change);
      await changeOnceFree();
    });
    const error = await transaction.catch((error: unknown) => error);
    expect(isUnavailable(error)).toBe(true);
  });
});
