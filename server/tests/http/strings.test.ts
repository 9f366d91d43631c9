import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { append, pageView, update } from "../support/operations.js";
import { iso, onEachDriver, sharedService, START, type Subject } from "../support/start-service.js";

type Json = string | number | boolean | null | Json[] | { [name: string]: Json };

/** As they stand in JSON, between the quotes, and as they are read back. */
const TEXTS: readonly (readonly [json: string, text: string])[] = [
  ["<script>alert(1)</script>", "<script>alert(1)</script>"],
  [String.raw`\"><img src=x onerror=alert(1)>`, `"><img src=x onerror=alert(1)>`],
  ["javascript:alert(1)//", "javascript:alert(1)//"],
  ["'; drop table events; --", "'; drop table events; --"],
  [String.raw`$1 %s \\' \" ) or 1=1 --`, String.raw`$1 %s \' " ) or 1=1 --`],
  ["__proto__", "__proto__"],
  ["constructor", "constructor"],
  [String.raw`a\u0000b`, "a\u{fffd}b"],
  [String.raw`\ud83d`, "\u{fffd}"],
  [String.raw`\ude00\ud83d\ude00`, "\u{fffd}\u{1f600}"],
  [String.raw`\\u0000`, String.raw`\u0000`],
  ["", ""],
];

interface Schema {
  type?: string;
  pattern?: string;
  const?: unknown;
  enum?: unknown[];
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  items?: Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
}
type Step = string | 0;

/** The paths of all strings in a schema; `*` is a name that the sender chooses. */
function stringsOf(schema: Schema | boolean | undefined, way: Step[] = []): Step[][] {
  if (!schema || typeof schema === "boolean") return [];
  const { properties = {}, additionalProperties, items } = schema;
  const here = schema.type === "string" || "const" in schema || schema.enum ? [way] : [];
  return [
    ...here,
    ...[...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])].flatMap((part) =>
      stringsOf(part, way),
    ),
    ...Object.entries(properties).flatMap(([name, part]) => stringsOf(part, [...way, name])),
    ...stringsOf(additionalProperties, [...way, "*"]),
    ...stringsOf(items, [...way, 0]),
  ];
}

/** A body with `by` at the end of the path; missing parents are created. */
function withAt(body: Json, [step, ...rest]: readonly Step[], by: Json): Json {
  if (step === undefined) return by;
  if (step === 0) return [withAt((Array.isArray(body) ? body[0] : undefined) ?? null, rest, by)];
  const fields = body !== null && typeof body === "object" && !Array.isArray(body) ? body : {};
  const name = step === "*" ? (Object.keys(fields)[0] ?? "own") : step;
  return { ...fields, [name]: withAt(fields[name] ?? null, rest, by) };
}

interface Route {
  path: string;
  method: string;
  schema: Schema;
  authorization: string;
  /** Bodies that are accepted: each string of the schema is replaced in each of them. */
  bodies: Json[];
}

const batch = (operation: object) =>
  ({ id: randomUUID(), sentAt: iso(START), sdk: "test", operations: [operation] }) as Json;

async function routesOf(subject: Subject): Promise<Route[]> {
  const { body } = await subject.call<{
    paths: Record<string, Record<string, { requestBody?: { content: Record<string, { schema: Schema }> } }>>;
  }>("GET", "/openapi.json");
  const lead = await subject.lead();
  const merge = {
    id: "merge",
    type: "profile.merge",
    occurredAt: iso(START),
    from: { kind: "visitor", id: randomUUID(), token: "none" },
  };
  const given: Record<string, Pick<Route, "authorization" | "bodies">> = {
    "/people/v1/registrations": {
      authorization: `App ${subject.trackingKey}`,
      bodies: [
        { profile: { kind: "visitor", id: randomUUID() } },
        { profile: lead.person, liveChatToken: lead.token },
      ],
    },
    "/people/v1/batches": {
      authorization: `Bearer ${lead.write}`,
      bodies: [
        pageView(START, { page: { url: "https://shop.example/", title: "Shop" } }),
        update(START, { firstName: "Ada", customAttributes: { own: "text" } }),
        append(START, "wishlist", { own: "text" }),
        merge,
      ].map(batch),
    },
    "/people/v1/live-chat/sessions": { authorization: "", bodies: [{}] },
    "/people/v1/live-chat/sessions/authenticate": {
      authorization: "",
      bodies: [{ jwt: "x", sessionId: "y" }],
    },
    "/people/v1/definitions/{id}": {
      authorization: `App ${subject.adminKey}`,
      bodies: [{ title: "Bought", properties: { article: "string" } }],
    },
  };
  return Object.entries(body.paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, { requestBody }]) =>
      requestBody
        ? [
            {
              path: path.replace("/people", "").replace("{id}", "strings"),
              method: method.toUpperCase(),
              schema: requestBody.content["application/json"]!.schema,
              ...given[path]!,
            },
          ]
        : [],
    ),
  );
}

const MARK = "@@here@@";
const DEEP = "[".repeat(20_000) + "]".repeat(20_000);
/** Replacements of a string that are no string, no JSON, or no UTF-8. */
const OTHERS = [
  DEEP,
  "1e400",
  "-0",
  "9".repeat(400),
  "null",
  `{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}`,
  `"${"x".repeat(100_000)}"`,
  `"\u{0}"`,
];

describe("strings", () => {
  onEachDriver((driver) => {
    const shared = sharedService(driver);

    test(
      "in every string of every route, whatever stands there is answered and reaches no prototype",
      { timeout: 120_000 },
      async () => {
        const subject = shared();
        let requests = 0;
        for (const { path, method, schema, authorization, bodies } of await routesOf(subject)) {
          const ways = [...new Map(stringsOf(schema).map((way) => [way.join("."), way])).values()];
          for (const body of bodies)
            for (const way of ways) {
              const marked = JSON.stringify(withAt(body, way, MARK));
              const sent = [...TEXTS.map(([json]) => `"${json}"`), ...OTHERS].map((by) =>
                marked.replace(`"${MARK}"`, () => by),
              );
              // Replacements of the string that also change its name: a key that could reach a prototype, and a duplicate key.
              const name = way.findLast((step) => step !== 0);
              const named = new RegExp(`"(\\w+)":(\\[*)"${MARK}"`);
              if (name !== undefined)
                sent.push(
                  marked.replace(named, `"__proto__":$2"x"`),
                  marked.replace(named, `"constructor":$2"x"`),
                  marked.replace(
                    named,
                    (_, key: string, open: string) =>
                      `"${key}":${open}"first"${"]".repeat(open.length)},"${key}":${open}"second"`,
                  ),
                );
              const bytes = Buffer.from(marked.replace(MARK, "\u{ff}"), "latin1");
              for (const raw of [...sent, new Uint8Array(bytes)]) {
                const answer = await subject.call<unknown>(method, path, { authorization, raw });
                requests++;
                expect([answer.status < 500, path, way, String(raw).slice(0, 300)]).toEqual([
                  true,
                  path,
                  way,
                  String(raw).slice(0, 300),
                ]);
              }
            }
        }
        console.log(`${requests} requests with something hostile in a string`);
        expect(requests).toBeGreaterThan(2000);
        expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
      },
    );

    test("script, SQL and halves of characters are read back as text from wherever text is kept", async () => {
      const subject = shared();
      const { write, person } = await subject.lead();
      await subject.service.definitions.put({ id: "said", properties: { text: "string", list: "list" } });
      for (const [json, text] of TEXTS) {
        const by = (value: object) => JSON.stringify(value).replaceAll(`"${MARK}"`, () => `"${json}"`);
        const id = randomUUID();
        const event = {
          ...pageView(START),
          id,
          definitionId: "said",
          properties: { text: MARK, list: [MARK, { own: MARK }] },
          page: { url: MARK, title: MARK },
        };
        const fields = {
          firstName: MARK,
          city: MARK,
          tags: [MARK],
          customAttributes: { own: MARK, list: [{ own: MARK }] },
        };
        const raw = by({
          id: "batch",
          sentAt: iso(START),
          sdk: MARK,
          operations: [event, update(START, fields)],
        });
        const { body } = await subject.call("POST", "/v1/batches", { authorization: `Bearer ${write}`, raw });
        expect(body).toMatchObject({ results: [{ status: "accepted" }, { status: "accepted" }] });
        const entry = (await subject.timeline(person.id)).find((one) => one.id === id);
        expect(entry).toMatchObject({
          properties: { text, list: [text, { own: text }] },
          page: { url: text, title: text },
        });
        const read = await subject.person(person.id);
        expect(read).toMatchObject({
          firstName: text,
          city: text,
          customAttributes: { own: text, list: [{ own: text }] },
        });
        expect(read.tags).toContain(text);
      }
    });
  });
});
