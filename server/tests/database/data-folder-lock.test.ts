import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { checkAndResend, newClients, newPlace, sendUntilFailure } from "../support/load.js";
import { preparedFolder } from "../support/prepared-folder.js";
import { failToStart, keys, runService } from "../support/run-service.js";

/** The difference between two containers that share a volume. */
async function ownTemporaryFolder(): Promise<{ TMPDIR: string }> {
  const folder = await mkdtemp(join(tmpdir(), "people-own-tmp-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return { TMPDIR: folder };
}

const REFUSAL = /in use by another process.*stop that one first/;

describe("the lock of the data folder", () => {
  test("keeps a second process out that has another temporary folder, and the command keys", async () => {
    const place = { DATA_DIR: await preparedFolder() };
    const first = await runService(place, await ownTemporaryFolder());
    const second = await failToStart(place, await ownTemporaryFolder());
    expect(second).toEqual({ code: 1, message: expect.stringMatching(REFUSAL) });
    expect(await keys({ ...place, ...(await ownTemporaryFolder()) }, "list")).toMatchObject({
      code: 1,
      err: expect.stringMatching(REFUSAL),
    });
    expect((await fetch(`${first.url}/healthz`)).status).toBe(200);
  });

  test("is not taken from a suspended process", async () => {
    const place = { DATA_DIR: await preparedFolder() };
    const first = await runService(place, await ownTemporaryFolder());
    first.process.kill("SIGSTOP");
    const second = await failToStart(place, await ownTemporaryFolder());
    expect(second.message).toMatch(REFUSAL);
    first.process.kill("SIGCONT");
    expect((await fetch(`${first.url}/healthz`)).status).toBe(200);
  });

  test("ends with a killed process, and the next one has every acknowledged event", async () => {
    const { place, trackingKey, adminKey } = await newPlace("PGlite");
    const first = await runService(place, await ownTemporaryFolder());
    const clients = await newClients(first.url, trackingKey);
    await sendUntilFailure(first.url, clients, 5, async () => {
      // Under load, a second process would have corrupted the folder by now.
      expect((await failToStart(place, await ownTemporaryFolder())).message).toMatch(REFUSAL);
      first.process.kill("SIGKILL");
      await first.exited;
    });
    const next = await runService(place, await ownTemporaryFolder());
    await checkAndResend(next.url, adminKey, clients);
  });
});
