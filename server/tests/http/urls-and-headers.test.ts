import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { event, pageView, update } from "../support/operations.js";
import {
  onEachDriver,
  sharedService,
  signJwt,
  START,
  startService,
  type Subject,
} from "../support/start-service.js";

/** A server that counts its requests. */
async function startTrap() {
  let visits = 0;
  const server = createServer((_, response) => {
    visits++;
    response.end("{}");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, visits: () => visits };
}

const signInWith = (subject: Subject, jwt: string) =>
  subject.call("POST", "/v1/live-chat/sessions/authenticate", { body: { jwt } });

describe("URLs and headers", () => {
  onEachDriver((driver) => {
    const shared = sharedService(driver);

    test("no URL that the service takes is ever fetched", async () => {
      const subject = shared();
      const trap = await startTrap();
      const { url } = trap;
      const { write, person } = await subject.lead();
      await subject.service.definitions.put({ id: "linked", properties: { link: "string" } });
      expect(
        await subject.statuses(write, [
          update(START, { profilePicture: `${url}/picture.png`, customAttributes: { site: url } }),
          pageView(START, {
            properties: { url: `${url}/page`, title: url, referrer: `${url}/referrer` },
            page: { url: `${url}/page`, title: "Shop" },
          }),
          event("linked", START, { properties: { link: url } }),
        ]),
      ).toEqual(["accepted", "accepted", "accepted"]);
      // Headers of a JWT by which a careless library fetches a key.
      for (const header of [{ jku: `${url}/keys` }, { x5u: `${url}/certificate` }, { kid: `${url}/key` }])
        await signInWith(subject, await signJwt(START, { iss: url }, undefined, header));
      await signInWith(
        subject,
        await signJwt(START, {}, undefined, { jku: `${url}/keys`, x5u: `${url}/certificate` }),
      );
      await subject.call("GET", "/v1/definitions", {
        authorization: `Bearer ${write}`,
        headers: {
          origin: url,
          referer: url,
          forwarded: `for=${url}`,
          "x-forwarded-host": url,
          link: `<${url}>`,
        },
      });
      expect((await subject.person(person.id)).profilePicture).toBe(`${url}/picture.png`);
      expect(await subject.timeline(person.id)).toHaveLength(2);
      await subject.service.sweep();
      expect(trap.visits()).toBe(0);
      // The trap is one.
      await fetch(url);
      expect(trap.visits()).toBe(1);
    });

    test("nothing of a request comes back in a header of its answer, but a configured origin", async () => {
      const origin = "https://shop.example";
      const subject = await startService(driver, { corsOrigins: [origin] });
      const { write } = await subject.visitor();
      const marker = "x-injected";
      for (const [method, path] of [
        ["GET", "/v1/definitions"],
        ["POST", "/v1/batches"],
        ["POST", "/v1/registrations"],
        ["OPTIONS", "/v1/batches"],
        ["GET", `/v1/persons/${marker}`],
        ["GET", `/${marker}`],
        ["GET", `/v1/persons?after=${marker}`],
      ] as const)
        for (const authorization of [
          `Bearer ${write}`,
          `App ${subject.adminKey}`,
          `Bearer ${marker}`,
          marker,
        ])
          for (const given of [
            marker,
            `https://${marker}`,
            `${origin}.${marker}`,
            `"${marker}`,
            `W/"${marker}", *`,
          ]) {
            const { headers } = await subject.call(method, path, {
              authorization,
              headers: {
                origin: given,
                "if-none-match": given,
                "content-encoding": given,
                "access-control-request-method": marker,
                "access-control-request-headers": given,
                "x-forwarded-for": given,
                "accept-encoding": "gzip, br",
                range: given,
              },
              ...(method === "POST" && { raw: `{"id":"${marker}"}` }),
            });
            expect([...headers].filter((header) => header.join().includes(marker))).toEqual([]);
          }
    });

    test("an origin is told apart by its whole text, and none is allowed with credentials", async () => {
      const origin = "https://shop.example";
      const subject = await startService(driver, { corsOrigins: [origin] });
      const allowed = async (given: string) =>
        (await subject.call("OPTIONS", "/v1/batches", { headers: { origin: given } })).headers;
      expect((await allowed(origin)).get("access-control-allow-origin")).toBe(origin);
      for (const other of [
        "null",
        "https://shop.example.evil.example",
        "http://shop.example",
        "https://SHOP.example",
      ])
        expect((await allowed(other)).get("access-control-allow-origin")).toBeNull();
      expect((await allowed(origin)).get("access-control-allow-credentials")).toBeNull();
    });

    test("no answer is compressed, so that its length tells nothing of what it holds", async () => {
      const subject = shared();
      const { write, person } = await subject.lead();
      await subject.send(
        write,
        Array.from({ length: 50 }, () => pageView(START)),
      );
      for (const path of [`/v1/persons/${person.id}/timeline`, "/v1/persons", "/openapi.json", "/metrics"]) {
        const { status, headers } = await subject.call("GET", path, {
          authorization: `App ${subject.adminKey}`,
          headers: { "accept-encoding": "gzip, deflate, br, zstd" },
        });
        expect([status, headers.get("content-encoding"), headers.get("transfer-encoding")]).toEqual([
          200,
          null,
          null,
        ]);
      }
    });
  });
});
