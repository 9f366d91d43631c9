/** This version opens a filled database of an earlier version. */
import { randomUUID } from "node:crypto";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { drizzle as drizzlePg } from "drizzle-orm/node-postgres";
import { migrate as migratePg } from "drizzle-orm/node-postgres/migrator";
import { drizzle as drizzlePglite } from "drizzle-orm/pglite";
import { migrate as migratePglite } from "drizzle-orm/pglite/migrator";
import { Client } from "pg";
import { describe, expect, onTestFinished, test } from "vitest";
import { DAY, HOUR, MINUTE } from "../../../src/protocol/wire.js";
import { hashSecret } from "../../src/credentials/secrets.js";
import { migrationsFolder } from "../../src/database/database.js";
import type { DatabaseOptions } from "../../src/index.js";
import { pageView } from "../support/operations.js";
import {
  newDatabase,
  onEachDriver,
  OTHER_WIDGET,
  START,
  startService,
  type Driver,
} from "../support/start-service.js";

const temporaryFolder = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), "people-migrations-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
};

/** The migrations up to and including one of them. */
async function migrationsUntil(tag: string): Promise<string> {
  const folder = await temporaryFolder();
  await cp(migrationsFolder, folder, { recursive: true });
  const path = join(folder, "meta", "_journal.json");
  const journal = JSON.parse(await readFile(path, "utf8")) as { entries: { tag: string }[] };
  const last = journal.entries.findIndex((entry) => entry.tag === tag);
  expect(last).toBeGreaterThanOrEqual(0);
  await writeFile(path, JSON.stringify({ ...journal, entries: journal.entries.slice(0, last + 1) }));
  return folder;
}

/** A database with the schema of the previous version. */
async function databaseOfBefore(driver: Driver, tag: string, fill: string): Promise<DatabaseOptions> {
  const migrationsFolder = await migrationsUntil(tag);
  if (driver === "PGlite") {
    const dataDir = join(await temporaryFolder(), "data");
    const client = await PGlite.create({ dataDir });
    await migratePglite(drizzlePglite({ client }), { migrationsFolder });
    await client.exec(fill);
    await client.close();
    return { dataDir };
  }
  const database = (await newDatabase(driver)) as { url: string };
  const client = new Client({ connectionString: database.url });
  await client.connect();
  await migratePg(drizzlePg(client), { migrationsFolder });
  await client.query(fill);
  await client.end();
  return database;
}

const LEAD = randomUUID();
const USER = randomUUID();
const TOKEN = "a Live Chat token";
const week = 7 * DAY;
/** A lead with 10,000 ids of the last six weeks, and one id that is known to the test; and a user of a JWT. */
const FILL = `
  insert into profiles (kind, id, created_at, last_activity_at) values ('lead', '${LEAD}', 0, 0);
  insert into profiles (kind, id, subject_type, subject, created_at, last_activity_at)
    values ('authenticated', '${USER}', 'email', 'user@example.com', 0, 0);
  insert into live_chat_sessions (id, person, started_at) values ('session', 1, 0);
  insert into live_chat_tokens (hash, session, person) values ('${hashSecret(TOKEN)}', 'session', 1);
  insert into operation_ids (owner, id, received_at)
    select 1, 'old-' || i, ${START}::bigint - (i * 7919 % 10000) * ${6 * week}::bigint / 10000 from generate_series(1, 10000) as i;
  insert into operation_ids (owner, id, received_at) values (1, 'known', ${START - HOUR});`;

describe("migrations", () => {
  onEachDriver((driver) => {
    test("ids of before the partitions are duplicates still, until their week is forgotten", async () => {
      const database = await databaseOfBefore(driver, "0001_revision", FILL);
      const subject = await startService(driver, { database });
      const person = { kind: "lead", id: LEAD };
      const known = pageView(START - 2 * HOUR, { id: "known" });
      const send = async (at: number) => {
        subject.clock.now = at;
        await subject.service.sweep();
        const write = await subject.register(person, TOKEN);
        return subject.statuses(write, [known, pageView(at, { id: "old-1" }), pageView(at - MINUTE)]);
      };
      expect(await send(START)).toEqual(["duplicate", "duplicate", "accepted"]);
      expect(await send(START + 29 * DAY)).toEqual(["duplicate", "duplicate", "accepted"]);
      // No id from before the migration proves that it was applied; its age does.
      expect(await send(START + 40 * DAY)).toEqual(["rejected", "accepted", "accepted"]);
    });

    test("a user from before widgets had their own goes on with the first widget that signs the user in", async () => {
      const database = await databaseOfBefore(driver, "0001_revision", FILL);
      const subject = await startService(driver, { database });
      const [first, ...more] = await Promise.all([1, 2, 3].map(() => subject.signIn()));
      expect(first!.person.id).toBe(USER);
      expect(more.map(({ person }) => person.id)).toEqual([USER, USER]);
      const other = await subject.signIn({ iss: OTHER_WIDGET.id }, undefined, OTHER_WIDGET.keys[0]!.secret);
      expect(other.person.id).not.toBe(USER);
    });
  });
});
