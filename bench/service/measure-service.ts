import type { Context, Row } from "../section.js";
import { quantile } from "../statistics.js";
import { bodyOf, newEvents } from "./batches.js";
import { fillPglite, openPostgresStores, type DatabaseName, type Store } from "./places.js";
import { openRawStore } from "./raw-store.js";
import { startService } from "./service-process.js";

interface Cell {
  database: DatabaseName;
  /** Clients that send at the same time, and connections to PostgreSQL. */
  connections: number;
  /** Operations in each batch. */
  batch: number;
  /** Operations stored before the first round. */
  stored: number;
}

const CELLS: Cell[] = (["PostgreSQL", "PGlite"] as const).flatMap((database) => [
  ...[1, 8, 32].map((connections) => ({ database, connections, batch: 500, stored: 10_000 })),
  ...[1, 8, 32].map((connections) => ({ database, connections, batch: 10, stored: 10_000 })),
  ...[10, 1_000_000].map((stored) => ({ database, connections: 8, batch: 500, stored })),
]);

/**
 * A service runs for days. In the first rounds, its compiler uses a fifth as much processor time as its work, and the
 * code is not fully optimised yet.
 */
const WARM_UP_ROUNDS = 4;

export const SERVICE = "People service";
export const FLOOR = "raw loop";
export const RATE = "operations stored";

export const settingOf = ({ database, connections, batch, stored }: Cell): string =>
  `${database}, ${connections} at once, batches of ${batch}, ${stored.toLocaleString("en")} stored`;

/** Measures the service and a raw loop of the same inserts, round by round in turn. */
export async function measureService(context: Context): Promise<Row[]> {
  const cells = CELLS.filter(({ stored }) => !context.quick || stored <= 10_000);
  context.steps(cells.length);
  const postgres = await openPostgresStores();
  const rows: Row[] = [];
  // Filling PGlite with a million operations takes minutes, so each cell uses a copy of a filled folder.
  const stores = new Map<string, Store>();
  const storeOf = async ({ database, stored }: Cell): Promise<Store> => {
    const key = `${database} ${stored}`;
    const store = stores.get(key) ?? (await (database === "PGlite" ? fillPglite : postgres!.fill)(stored));
    stores.set(key, store);
    return store;
  };
  try {
    for (const cell of cells) {
      context.step(settingOf(cell));
      if (cell.database === "PostgreSQL" && !postgres) continue;
      rows.push(...(await measureCell(cell, await storeOf(cell), context)));
    }
  } finally {
    for (const store of stores.values()) await store.remove();
    await postgres?.close();
  }
  return rows;
}

async function measureCell(cell: Cell, store: Store, { runs, quick }: Context): Promise<Row[]> {
  const raw = await openRawStore(await store.copy(), cell.connections);
  const service = await startService(await store.copy(), cell.connections);
  try {
    const operations =
      (quick ? 8_000 : 32_000) / (cell.batch < 100 ? 4 : 1) / (cell.database === "PGlite" ? 4 : 1);
    const each = Math.ceil(operations / cell.batch / cell.connections);
    const newBatches = () =>
      Array.from({ length: cell.connections }, (_, client) =>
        Array.from({ length: each }, () => newEvents(cell.batch, `session-${client}`)),
      );
    const floorRound = async () => {
      const clients = await Promise.all(
        newBatches().map(async (batches) => ({ owner: await raw.newOwner(), batches })),
      );
      return timed(
        clients.map(({ owner, batches }) => batches.map((events) => () => raw.store(owner, events))),
      );
    };
    const serviceRound = async () => {
      const clients = await Promise.all(
        newBatches().map(async (batches) => ({
          token: await service.register(),
          bodies: batches.map(bodyOf),
        })),
      );
      return timed(
        clients.map(({ token, bodies }) =>
          bodies.map((body) => async () => {
            expectAccepted(await service.send(token, body), cell.batch);
          }),
        ),
      );
    };

    for (let round = 0; round < WARM_UP_ROUNDS; round++) {
      await floorRound();
      await serviceRound();
    }
    const rounds: { service: Timed; floor: Timed }[] = [];
    for (let run = 0; run < runs; run++)
      rounds.push(
        run % 2
          ? { service: await serviceRound(), floor: await floorRound() }
          : { floor: await floorRound(), service: await serviceRound() },
      );
    const rate = ({ seconds }: Timed) => (each * cell.connections * cell.batch) / seconds;
    const row = (subject: string, metric: string, unit: Row["unit"], values: number[]): Row => ({
      subject,
      setting: settingOf(cell),
      metric,
      unit,
      values,
    });
    const latency = (part: number) =>
      rounds.map(({ service: { latenciesMs } }) => quantile(latenciesMs, part));
    return [
      row(
        SERVICE,
        RATE,
        "per second",
        rounds.map((round) => rate(round.service)),
      ),
      row(
        FLOOR,
        RATE,
        "per second",
        rounds.map((round) => rate(round.floor)),
      ),
      row(SERVICE, "a batch, p50", "ms", latency(0.5)),
      row(SERVICE, "a batch, p95", "ms", latency(0.95)),
      row(SERVICE, "a batch, p99", "ms", latency(0.99)),
    ];
  } finally {
    await raw.close();
    await service.stop();
  }
}

/** A batch that is not applied would make the service look fast. */
function expectAccepted(answer: string, count: number): void {
  if (answer.split('"accepted"').length - 1 !== count)
    throw new Error(`not all were accepted: ${answer.slice(0, 500)}`);
}

interface Timed {
  seconds: number;
  latenciesMs: number[];
}

/** Runs the tasks of each client one after the other, and all clients concurrently. */
async function timed(clients: (() => Promise<void>)[][]): Promise<Timed> {
  const latenciesMs: number[] = [];
  const startedAt = performance.now();
  await Promise.all(
    clients.map(async (tasks) => {
      for (const task of tasks) {
        const before = performance.now();
        await task();
        latenciesMs.push(performance.now() - before);
      }
    }),
  );
  return { seconds: (performance.now() - startedAt) / 1000, latenciesMs };
}
