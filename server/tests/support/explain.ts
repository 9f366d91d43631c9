import { Client } from "pg";
import { vi } from "vitest";

interface Recorded {
  text: string;
  values: unknown[];
}
interface Plan {
  "Node Type": string;
  "Relation Name"?: string;
  "Shared Hit Blocks": number;
  "Shared Read Blocks": number;
  Plans?: Plan[];
}

/** What a repeated execution of statements reads: pages of tables and indexes, and sequentially scanned tables. */
export interface Reads {
  statements: number;
  pages: number;
  scanned: string[];
}

/** Records the statements that some work sends to PostgreSQL, on all connections. */
async function record(work: () => Promise<unknown>): Promise<Recorded[]> {
  const recorded: Recorded[] = [];
  const original = Reflect.get(Client.prototype, "query") as (...given: unknown[]) => unknown;
  const spy = vi.spyOn(Client.prototype, "query").mockImplementation(function (
    this: Client,
    ...given: unknown[]
  ) {
    const [query, values] = given as [string | { text: string; values?: unknown[] }, unknown[] | undefined];
    const { text, values: own } = typeof query === "string" ? { text: query } : query;
    recorded.push({ text, values: own ?? (Array.isArray(values) ? values : []) });
    return original.apply(this, given);
  });
  try {
    await work();
  } finally {
    spy.mockRestore();
  }
  return recorded.filter(({ text }) => /^\s*(select|with|insert|update|delete)\b/i.test(text));
}

/**
 * Measures what some work reads: its statements are repeated by `explain analyze` with the service's own settings, each in
 * a transaction that is rolled back.
 */
export async function readsOf(
  url: string,
  work: () => Promise<unknown>,
  isCounted = (_text: string) => true,
): Promise<Reads> {
  const statements = (await record(work)).filter(({ text }) => isCounted(text));
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query("set enable_seqscan = off");
  const reads: Reads = { statements: statements.length, pages: 0, scanned: [] };
  const visit = (plan: Plan): void => {
    if (plan["Node Type"] === "Seq Scan") reads.scanned.push(plan["Relation Name"] ?? "?");
    plan.Plans?.forEach(visit);
  };
  try {
    for (const { text, values } of statements) {
      await client.query("begin");
      const { rows } = await client.query<{ "QUERY PLAN": [{ Plan: Plan }] }>(
        `explain (analyze, buffers, format json) ${text}`,
        values,
      );
      await client.query("rollback");
      const plan = rows[0]!["QUERY PLAN"][0].Plan;
      reads.pages += plan["Shared Hit Blocks"] + plan["Shared Read Blocks"];
      visit(plan);
    }
  } finally {
    await client.end();
  }
  return reads;
}
