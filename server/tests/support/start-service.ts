import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { Client } from "pg";
import { afterAll, beforeAll, describe, inject, onTestFinished } from "vitest";
import { SignJWT } from "jose";
import type { BatchAnswer, RegistrationAnswer } from "../../../src/protocol/wire.js";
import { HOUR } from "../../../src/protocol/wire.js";
import {
  createPeopleService,
  type DatabaseOptions,
  type PeopleService,
  type PeopleServiceOptions,
  type Person,
  type TimelineEntry,
} from "../../src/index.js";

export type Driver = "PGlite" | "PostgreSQL";

/** Runs the same tests on both drivers. */
export const onEachDriver = (tests: (driver: Driver) => void): void => {
  describe("on PGlite", () => {
    tests("PGlite");
  });
  describe.skipIf(!inject("postgresUrl"))("on PostgreSQL", () => {
    tests("PostgreSQL");
  });
};

type Cleanup = (clean: () => Promise<void>) => void;

/** The run's prepared PGlite. */
const snapshot = async (): Promise<Blob> => new Blob([await readFile(inject("snapshotPath"))]);

/** A new, empty database, dropped after the test. */
export async function newDatabase(
  driver: Driver,
  onFinished: Cleanup = onTestFinished,
): Promise<DatabaseOptions> {
  if (driver === "PGlite") return { snapshot: await snapshot() };
  const url = new URL(inject("postgresUrl")!);
  const name = `people_${randomUUID().replaceAll("-", "")}`;
  await runSql(url, `create database ${name}`);
  onFinished(() => runSql(url, `drop database ${name} with (force)`));
  const database = new URL(url);
  database.pathname = `/${name}`;
  return { url: database.href, connections: 5 };
}

async function runSql(url: URL, statement: string): Promise<void> {
  const client = new Client({ connectionString: url.href });
  await client.connect();
  await client.query(statement);
  await client.end();
}

export const WIDGET = {
  id: "widget-1",
  keys: [{ id: "key-1", secret: "a secret of the widget, long enough" }],
};
export const OTHER_WIDGET = {
  id: "widget-2",
  keys: [{ id: "key-1", secret: "a secret of the other widget, long enough" }],
};
export const START = Date.parse("2026-03-01T12:00:00.000Z");

export interface Answer<Body> {
  status: number;
  headers: Headers;
  body: Body;
}
export interface FailureBody {
  error: { code: number; name: string; message: string; origin: string; platform: string };
}

/** A service with a manual clock, its keys, and short ways to call it. */
export interface Subject {
  service: PeopleService;
  clock: { now: number };
  trackingKey: string;
  adminKey: string;
  call: <Body = FailureBody>(method: string, path: string, init?: CallInit) => Promise<Answer<Body>>;
  register(profile: { kind: string; id: string }, liveChatToken?: string): Promise<string>;
  send(
    token: string,
    operations: readonly unknown[],
    init?: { sentAt?: number },
  ): Promise<BatchAnswer["results"]>;
  statuses(token: string, operations: readonly unknown[], init?: { sentAt?: number }): Promise<string[]>;
  startChat(): Promise<LiveChat>;
  signIn(claims?: Record<string, unknown>, sessionId?: string, secret?: string): Promise<LiveChat>;
  /** A lead that may be written to. */
  lead(): Promise<LiveChat & { write: string }>;
  visitor(): Promise<{ id: string; write: string }>;
  person(id: string): Promise<Person & Record<string, unknown>>;
  timeline(id: string): Promise<TimelineEntry[]>;
}
export interface LiveChat {
  sessionId: string;
  token: string;
  person: { kind: string; id: string };
}
interface CallInit {
  authorization?: string;
  body?: unknown;
  raw?: string | Uint8Array;
  headers?: Record<string, string>;
  /** Where it comes from; nowhere by itself. */
  address?: string;
}

/** One service for all tests of a block, which are about profiles of their own; its clock starts anew for each. */
export function sharedService(driver: Driver, options: ServiceOptions = {}): () => Subject {
  const cleanups: (() => Promise<void>)[] = [];
  let subject: Subject;
  beforeAll(async () => {
    subject = await startService(driver, options, (clean) => cleanups.unshift(clean));
  });
  afterAll(async () => {
    for (const clean of cleanups) await clean();
  });
  return () => {
    subject.clock.now = START;
    return subject;
  };
}

type ServiceOptions = Omit<PeopleServiceOptions, "clock">;

const expectStatus = <Body>(answer: Answer<Body>, status: number): Body => {
  if (answer.status !== status) throw new Error(`${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer.body;
};

export async function startService(
  driver: Driver,
  options: ServiceOptions = {},
  onFinished: Cleanup = onTestFinished,
): Promise<Subject> {
  const clock = { now: START };
  const service = await createPeopleService({
    database: options.database ?? (await newDatabase(driver, onFinished)),
    widgets: [WIDGET, OTHER_WIDGET],
    sweepIntervalMs: 0,
    ...options,
    clock: () => clock.now,
  });
  onFinished(() => service.close());
  const { key: trackingKey } = await service.keys.create({ scopes: ["web:tracking:sdk"] });
  const { key: adminKey } = await service.keys.create({ scopes: ["people:read", "people:manage"] });

  const call: Subject["call"] = async (method, path, { authorization, body, raw, headers, address } = {}) => {
    const response = await service.fetch(
      new Request(`http://service.test/people${path}`, {
        method,
        headers: { ...(authorization && { authorization }), ...headers },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        ...(raw !== undefined && { body: raw }),
      }),
      // As the server hands it over.
      address === undefined ? undefined : { incoming: { socket: { remoteAddress: address } } },
    );
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.startsWith("application/json");
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
  };
  const subject: Subject = {
    service,
    clock,
    trackingKey,
    adminKey,
    call,
    async register(profile, liveChatToken) {
      const answer = await call<RegistrationAnswer>("POST", "/v1/registrations", {
        authorization: `App ${trackingKey}`,
        body: { profile, ...(liveChatToken !== undefined && { liveChatToken }) },
      });
      return expectStatus(answer, 200).token;
    },
    async send(token, operations, { sentAt = clock.now } = {}) {
      const answer = await call<BatchAnswer>("POST", "/v1/batches", {
        authorization: `Bearer ${token}`,
        body: { id: randomUUID(), sentAt: iso(sentAt), sdk: "people-tracking-sdk/0.0.0", operations },
      });
      return expectStatus(answer, 200).results;
    },
    statuses: async (...args) => (await subject.send(...args)).map(({ status }) => status),
    startChat: async () =>
      expectStatus(await call<LiveChat>("POST", "/v1/live-chat/sessions", { body: {} }), 201),
    async signIn(claims, sessionId, secret) {
      const answer = await call<LiveChat>("POST", "/v1/live-chat/sessions/authenticate", {
        body: { jwt: await signJwt(clock.now, claims, secret), ...(sessionId && { sessionId }) },
      });
      return expectStatus(answer, 200);
    },
    async lead() {
      const chat = await subject.startChat();
      return { ...chat, write: await subject.register(chat.person, chat.token) };
    },
    async visitor() {
      const id = randomUUID();
      return { id, write: await subject.register({ kind: "visitor", id }) };
    },
    person: async (id) =>
      expectStatus(
        await call<Person & Record<string, unknown>>("GET", `/v1/persons/${id}`, {
          authorization: `App ${adminKey}`,
        }),
        200,
      ),
    async timeline(id) {
      const entries: TimelineEntry[] = [];
      for (let after = ""; ;) {
        const page = expectStatus(
          await call<{ entries: TimelineEntry[]; next: string | null }>(
            "GET",
            `/v1/persons/${id}/timeline?after=${after}`,
            { authorization: `App ${adminKey}` },
          ),
          200,
        );
        entries.push(...page.entries);
        if (!page.next) return entries;
        after = page.next;
      }
    },
  };
  return subject;
}

export const iso = (time: number): string => new Date(time).toISOString();

export const signJwt = (
  now: number,
  claims: Record<string, unknown> = {},
  secret = WIDGET.keys[0]!.secret,
  header: Record<string, unknown> = {},
) =>
  new SignJWT({
    iss: WIDGET.id,
    ski: WIDGET.keys[0]!.id,
    stp: "email",
    sub: "user@example.com",
    jti: randomUUID(),
    iat: Math.floor(now / 1000),
    exp: Math.floor((now + HOUR) / 1000),
    ...claims,
  })
    .setProtectedHeader({ alg: "HS256", typ: "JWT", ...header })
    .sign(new TextEncoder().encode(secret));
