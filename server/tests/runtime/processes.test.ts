import { request } from "node:http";
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { pageView } from "../support/operations.js";
import { preparedFolder } from "../support/prepared-folder.js";
import { keys, newKey, runService, type ServiceProcess } from "../support/run-service.js";

const post = async <Body>(url: string, authorization: string, body: unknown): Promise<Body> => {
  const response = await fetch(url, {
    method: "POST",
    headers: { authorization },
    body: JSON.stringify(body),
  });
  return (await response.json()) as Body;
};

describe("service processes", () => {
  test("keys are made, listed, revoked and restored by command", async () => {
    const place = { DATA_DIR: await preparedFolder() };
    const made = await keys(place, "create", "--scope", "people:read", "--scope", "people:manage");
    const [, id, key] = /^id {3}(\S+)\nkey {2}(\S+)\n$/.exec(made.out) ?? [];
    expect(key).toMatch(/^[\w-]{43}$/);
    expect((await keys(place, "revoke", id!)).out).toBe("revoked\n");
    expect((await keys(place, "list")).out).toMatch(
      new RegExp(`^${id} {2}people:read,people:manage .*revoked`),
    );
    expect((await keys(place, "restore", key!)).out).toBe("restored\n");
    for (const unknown of ["nonsense", "-begins-with-a-dash"]) {
      const refusal = { code: 1, err: "There is no such key.\n" };
      expect(await keys(place, "revoke", unknown)).toMatchObject(refusal);
    }
    expect(await keys(place, "create")).toMatchObject({ code: 1, err: expect.stringContaining("--scope") });
  });

  test("a service that is killed and restarted has what it acknowledged", async () => {
    const place = { DATA_DIR: await preparedFolder() };
    const key = await newKey(place, "web:tracking:sdk");
    const first = await runService(place);
    expect(await keys(place, "list")).toMatchObject({
      code: 1,
      err: expect.stringContaining("in use by another"),
    });
    const profile = { kind: "visitor", id: "5f0c6ef5-1d5c-4b6c-9d8e-3f1a2b3c4d5e" };
    const { token } = await post<{ token: string }>(`${first.url}/v1/registrations`, `App ${key}`, {
      profile,
    });
    const batch = {
      id: "batch",
      sentAt: new Date().toISOString(),
      sdk: "test",
      operations: [pageView(Date.now())],
    };
    const send = ({ url }: ServiceProcess) => post(`${url}/v1/batches`, `Bearer ${token}`, batch);
    expect(await send(first)).toMatchObject({ results: [{ status: "accepted" }] });
    first.process.kill("SIGKILL");
    await first.exited;
    expect(await send(await runService(place))).toMatchObject({ results: [{ status: "duplicate" }] });
  });

  test("on SIGTERM the service answers pending requests, accepts no new ones, and exits", async () => {
    const service = await runService({ DATA_DIR: await preparedFolder() });
    const underWay = request(`${service.url}/v1/live-chat/sessions`, {
      method: "POST",
      headers: { "content-length": 2 },
    });
    const answered = once(underWay, "response");
    underWay.write("{");
    // The other request shows that the first has arrived.
    await fetch(`${service.url}/healthz`);
    service.process.kill("SIGTERM");
    for (;;) if (!(await fetch(`${service.url}/healthz`).catch(() => null))) break;
    underWay.end("}");
    const [response] = await answered;
    expect((response as { statusCode: number }).statusCode).toBe(201);
    (response as NodeJS.ReadableStream).resume();
    expect(await service.exited).toEqual([0, null]);
  });
});
