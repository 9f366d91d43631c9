import { setTimeout as delay } from "node:timers/promises";
import * as fc from "fast-check";
import { describe, expect, inject, onTestFinished, test } from "vitest";
import { checkAndResend, newClients, newPlace, sendUntilFailure, IN_FLIGHT } from "../support/load.js";
import { runService } from "../support/run-service.js";
import { startPostgres } from "../support/start-postgres.js";
import { onEachDriver } from "../support/start-service.js";

/** A process and its database start after each kill, which is slow on a busy machine. */
const TIMEOUT_MS = 60_000;

/** The moments of the kills: after so many responses, plus a random delay. Fixed, unless a soak draws others. */
const moments = fc.sample(
  fc.record({ answers: fc.integer({ min: 3, max: 20 }), delayMs: fc.integer({ min: 0, max: 15 }) }),
  { numRuns: Number(process.env["KILLS"] ?? 4), seed: Number(process.env["KILLS_SEED"] ?? 4_031) },
);

describe("killed processes", () => {
  onEachDriver((driver) => {
    test(
      "killed in the middle of batches again and again, the service keeps what it answered and doubles nothing",
      { timeout: moments.length * TIMEOUT_MS },
      async () => {
        const { place, trackingKey, adminKey } = await newPlace(driver);
        let service = await runService(place);
        const clients = await newClients(service.url, trackingKey);
        for (const { answers, delayMs } of moments) {
          const failures = await sendUntilFailure(service.url, clients, answers, async () => {
            await delay(delayMs);
            service.process.kill("SIGKILL");
            await service.exited;
          });
          expect(failures).toHaveLength(IN_FLIGHT);
          service = await runService(place);
          await checkAndResend(service.url, adminKey, clients);
        }
      },
    );

    test(
      "stopped by SIGTERM under load, the service ends well and has kept what it answered",
      { timeout: TIMEOUT_MS },
      async () => {
        const { place, trackingKey, adminKey } = await newPlace(driver);
        const service = await runService(place);
        const clients = await newClients(service.url, trackingKey);
        const failures = await sendUntilFailure(service.url, clients, 10, async () => {
          service.process.kill("SIGTERM");
          expect(await service.exited).toEqual([0, null]);
        });
        // Connections may be closed or refused, but no response may be an error.
        expect(failures.map(String).filter((failure) => failure.includes("answered"))).toEqual([]);
        const again = await runService(place);
        await checkAndResend(again.url, adminKey, clients);
      },
    );
  });

  test.skipIf(!inject("postgresUrl"))(
    "PostgreSQL killed in the middle of batches again and again is a 503 until it is back, and nothing is lost or doubled",
    { timeout: moments.length * TIMEOUT_MS },
    async () => {
      const postgres = (await startPostgres())!;
      onTestFinished(postgres.remove);
      const { place, trackingKey, adminKey } = await newPlace("PostgreSQL", { url: postgres.url });
      const { url } = await runService(place);
      const health = async (): Promise<number> => (await fetch(`${url}/healthz`)).status;
      const clients = await newClients(url, trackingKey);
      for (const { answers, delayMs } of moments) {
        const failures = await sendUntilFailure(url, clients, answers, async () => {
          await delay(delayMs);
          await postgres.kill();
        });
        expect(failures.map(String)).toEqual(
          Array.from({ length: IN_FLIGHT }, () => expect.stringMatching(/answered 503$/)),
        );
        expect(await health()).toBe(503);
        await postgres.start();
        // No request fails because of a connection from before the restart.
        expect(await health()).toBe(200);
        await checkAndResend(url, adminKey, clients);
      }
    },
  );
});
