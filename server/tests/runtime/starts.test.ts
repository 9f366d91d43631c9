import { writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { describe, expect, inject, onTestFinished, test } from "vitest";
import { preparedFolder } from "../support/prepared-folder.js";
import { failToStart, keys, runService, spawnService } from "../support/run-service.js";
import { startPostgres } from "../support/start-postgres.js";

describe("a service that cannot start ends with one line that says why and what to do", () => {
  test("where variables are wrong", async () => {
    expect(
      await failToStart({ DATA_DIR: "" }, { PORT: "http", CORS_ORIGINS: "https://shop.example/" }),
    ).toEqual({
      code: 1,
      message: expect.stringMatching(
        /PORT must be .* CORS_ORIGINS must be .*write https:\/\/shop\.example\.$/,
      ),
    });
  });

  test("where the data folder cannot be made", async () => {
    const file = join(await preparedFolder(), "file");
    await writeFile(file, "");
    // Below /proc Linux refuses new folders as if their parent were missing.
    for (const folder of [join(file, "data"), "/proc/people/data"])
      expect(await failToStart({ DATA_DIR: folder }, { LOG_LEVEL: "silent" })).toEqual({
        code: 1,
        message: expect.stringMatching(
          /^The data folder \S+ cannot be made: (ENOTDIR|ENOENT).*Name a folder/,
        ),
      });
  });

  test("where another process listens at its address", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    onTestFinished(() => void other.close());
    const { port } = other.address() as AddressInfo;
    expect(await failToStart({ DATA_DIR: await preparedFolder() }, { PORT: String(port) })).toEqual({
      code: 1,
      message: `127.0.0.1:${port} cannot be listened on: another process listens there. Name another address (HOST, PORT).`,
    });
  });

  test.skipIf(!inject("postgresUrl"))(
    "where there is no such database, which waiting would not make",
    async () => {
      const url = new URL(inject("postgresUrl")!);
      url.pathname = "/nothing";
      url.password = "secret";
      const { code, message } = await failToStart({ DATABASE_URL: url.href });
      expect(code).toBe(1);
      expect(message).toMatch(
        /127\.0\.0\.1:\d+\/nothing cannot be used: database "nothing" does not exist\. Check/,
      );
      expect(message).not.toMatch(/secret/);
    },
  );
});

describe.skipIf(!inject("postgresUrl"))("a service whose database is down at its start", () => {
  test("warns, waits, and starts when the database is available", async () => {
    const postgres = (await startPostgres())!;
    onTestFinished(postgres.remove);
    await postgres.crash();
    const service = await spawnService({ DATABASE_URL: postgres.url });
    expect((await service.line("waiting")).msg).toMatch(
      /^waiting, since the database 127.* cannot be reached \(.*ECONNREFUSED/,
    );
    expect(await keys({ DATABASE_URL: postgres.url }, "list")).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^Not now: the database .* cannot be reached/),
    });
    await postgres.start();
    await service.line('"listening"');
    expect((await fetch(`${service.url}/healthz`)).status).toBe(200);
  });

  test("exits immediately on SIGTERM", async () => {
    const service = await spawnService({ DATABASE_URL: "postgres://people@127.0.0.1:1/people" });
    await service.line("waiting");
    service.process.kill("SIGTERM");
    expect(await service.exited).toEqual([0, null]);
  });
});

describe("the start of a service", () => {
  test("the line that says where the service listens is written whatever LOG_LEVEL is", async () => {
    const service = await spawnService({ DATA_DIR: await preparedFolder() }, { LOG_LEVEL: "fatal" });
    const { port, host } = await service.line('"listening"');
    expect({ port, host }).toEqual({ port: service.port, host: "127.0.0.1" });
  });

  test("a service that was given port 0 says which one the system chose", async () => {
    const service = await runService({ DATA_DIR: await preparedFolder() }, { PORT: "0" });
    const { port } = await service.line('"listening"');
    expect((await fetch(`http://127.0.0.1:${port as number}/people/livez`)).status).toBe(200);
  });

  test("a key for an unknown scope is refused with the scopes there are", async () => {
    const { code, err } = await keys(
      { DATA_DIR: await preparedFolder() },
      "create",
      "--scope",
      "people:raed",
    );
    expect({ code, err }).toEqual({
      code: 1,
      err: "There is no scope people:raed: choose among web:tracking:sdk, people:read, people:manage.\n",
    });
  });
});
