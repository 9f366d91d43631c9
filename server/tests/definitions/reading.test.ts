import { describe, expect, test } from "vitest";
import { onEachDriver, sharedService } from "../support/start-service.js";

describe("the definitions", () => {
  onEachDriver((driver) => {
    const shared = sharedService(driver);

    test("are told to registrations, and to API keys of any scope", async () => {
      const subject = shared();
      const { call, service, trackingKey, adminKey } = subject;
      await service.definitions.put({ id: "bought", properties: { article: "string" } });
      const { write } = await subject.visitor();
      for (const authorization of [`Bearer ${write}`, `App ${trackingKey}`, `app ${adminKey}`])
        expect(await call("GET", "/v1/definitions", { authorization })).toMatchObject({
          status: 200,
          body: { definitions: [{ id: "bought", properties: { article: "string" } }] },
        });
    });

    test("are not told to unknown and revoked keys, or without a credential", async () => {
      const { call, service, adminKey } = shared();
      const revoked = await service.keys.create({ scopes: ["people:manage"] });
      await service.keys.revoke(revoked.id);
      for (const authorization of [`App ${revoked.key}`, "App unknown", `Bearer ${adminKey}`, "App", ""])
        expect((await call("GET", "/v1/definitions", { authorization })).status, authorization).toBe(401);
    });
  });
});
