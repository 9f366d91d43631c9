/**
 * Measures reads in pages rather than in time, on tables large enough that a missing index shows. Rows are in random order,
 * as after vacuum has freed pages and other rows have filled them.
 */
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { DAY, HOUR } from "../../../src/protocol/wire.js";
import { readsOf } from "../support/explain.js";
import { merge, pageView } from "../support/operations.js";
import { newDatabase, START, startService, type LiveChat, type Subject } from "../support/start-service.js";

const VISITORS = 60_000;
const IDS = 200_000;
/** A person in a thousand visitors, with an event every minute. */
const FILL = `
  insert into profiles (kind, id, created_at, last_activity_at)
    select case when i % 1000 = 0 then 'lead' else 'visitor' end, gen_random_uuid()::text, 0, ${START}::bigint - i
    from generate_series(1, ${VISITORS}) as i order by md5(i::text);
  insert into registrations (token_hash, profile, api_key, expires_at)
    select md5(i::text), 1, (select id from api_keys limit 1), ${START}::bigint - i from generate_series(1, ${VISITORS}) as i;
  insert into live_chat_sessions (id, person, started_at, terminated_at)
    select md5(i::text), 1 + i % 1000, 0, case when i % 2 = 0 then ${START}::bigint - i end
    from generate_series(1, ${VISITORS}) as i order by md5(i::text);
  insert into live_chat_tokens (hash, session, person)
    select md5(i::text), md5(i::text), 1 + i % 1000 from generate_series(1, ${VISITORS}) as i;
  insert into used_jwt_ids (widget, jti, expires_at)
    select 'w', i::text, ${START + HOUR}::bigint + i from generate_series(1, ${VISITORS}) as i order by md5(i::text);
  insert into sessions (owner, id, started_at, last_activity_at, ended_at)
    select i, 's', 0, ${START}::bigint - i, 0 from generate_series(1, ${VISITORS}) as i order by md5(i::text);
  insert into operation_ids (owner, id, received_at)
    select 1 + i % ${VISITORS}, 'o' || i, ${START}::bigint - (i % 28) * ${DAY}::bigint from generate_series(1, ${IDS}) as i order by md5(i::text);
  insert into operation_ids (owner, id, received_at)
    select (select max(key) from profiles where kind = 'lead' and created_at > 0), 'p' || i, ${START}::bigint
    from generate_series(1, ${IDS / 10}) as i;
  insert into events (owner, definition_id, session_id, occurred_at, given_at, received_at)
    select 1 + i % 1000, 'pageView', 's', ${START}::bigint - i, ${START}::bigint - i, 0
    from generate_series(1, ${IDS}) as i order by md5(i::text);`;

const cleanups: (() => Promise<void>)[] = [];
const onFinished = (clean: () => Promise<void>) => void cleanups.unshift(clean);

describe.skipIf(!inject("postgresUrl"))("what is read of a full database", () => {
  let subject: Subject;
  let lead: LiveChat & { write: string };
  let url: string;

  beforeAll(async () => {
    const database = (await newDatabase("PostgreSQL", onFinished)) as { url: string };
    url = database.url;
    subject = await startService("PostgreSQL", { database }, onFinished);
    for (let weeks = 4; weeks >= 0; weeks--) {
      subject.clock.now = START - weeks * 7 * DAY;
      lead = await subject.lead();
      await subject.send(lead.write, [pageView(subject.clock.now)]);
    }
    await inTransaction(url, (client) => client.query(FILL));
    await withClient(url, (client) => client.query("vacuum analyze"));
    // What is due: the sessions of the leads above.
    await subject.service.sweep();
  });
  afterAll(async () => {
    for (const clean of cleanups) await clean();
  });

  test("a sweep with nothing due reads a handful of pages", async () => {
    // Without the list of partitions, whose length depends on the number of weeks only.
    const reads = await readsOf(
      url,
      () => subject.service.sweep(),
      (text) => !text.includes("pg_inherits"),
    );
    expect(reads.statements).toBeGreaterThan(10);
    expect(reads.pages).toBeLessThan(30);
  });

  test("a sweep that deletes an idle visitor looks only for what it left", async () => {
    const visitor = await subject.visitor();
    await subject.send(visitor.write, [pageView(START - HOUR)]);
    await inTransaction(url, (client) =>
      client.query("update profiles set last_activity_at = 0 where id = $1", [visitor.id]),
    );
    const reads = await readsOf(url, async () =>
      expect(await subject.service.sweep()).toMatchObject({ deletedVisitors: 1 }),
    );
    expect(reads.pages).toBeLessThan(300);
  });

  test("a profile is deleted without reading whole the tables that may refer to it", async () => {
    const visitor = await subject.visitor();
    // Plans do not show the reads of foreign keys; the transaction's counters do.
    const scanned = await inTransaction(url, async (client) => {
      await client.query("delete from profiles where kind = 'visitor' and id = $1", [visitor.id]);
      return client.query("select relname from pg_stat_xact_user_tables where seq_tup_read > 0");
    });
    expect(scanned.rows).toEqual([]);
  });

  test("persons are listed without a walk over visitors", async () => {
    const authorization = `App ${subject.adminKey}`;
    const reads = await readsOf(url, () => subject.call("GET", "/v1/persons?limit=10", { authorization }));
    expect(reads.scanned).not.toContain("profiles");
    expect(reads.pages).toBeLessThan(30);
  });

  test.each(["oldest", "newest"])(
    "a page of a timeline reads its own entries, the %s first",
    async (order) => {
      const authorization = `App ${subject.adminKey}`;
      const path = `/v1/persons/${lead.person.id}/timeline?limit=10&order=${order}`;
      const reads = await readsOf(url, () => subject.call("GET", path, { authorization }));
      expect(reads.scanned).not.toContain("events");
      expect(reads.pages).toBeLessThan(40);
    },
  );

  test("a batch of events looks up its ids in each week's partition, and nothing more", async () => {
    const views = [pageView(START), pageView(START)];
    const reads = await readsOf(url, () => subject.send(lead.write, views));
    expect(reads.statements).toBe(3);
    expect(reads.pages).toBeLessThan(120);
  });

  test("a merge looks for what both sent by the visitor's ids, however many the person has", async () => {
    const visitor = await subject.visitor();
    await subject.send(visitor.write, [pageView(START - HOUR)]);
    // Its inserts cannot be repeated.
    const reads = await readsOf(
      url,
      () => subject.send(lead.write, [merge(START, visitor)]),
      (text) => text.includes("delete from"),
    );
    expect(reads.statements).toBeGreaterThan(2);
    expect(reads.pages).toBeLessThan(200);
  });
});

async function withClient<Result>(url: string, work: (client: Client) => Promise<Result>): Promise<Result> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
const inTransaction = <Result>(url: string, work: (client: Client) => Promise<Result>): Promise<Result> =>
  withClient(url, async (client) => {
    await client.query("begin");
    const result = await work(client);
    await client.query("commit");
    return result;
  });
