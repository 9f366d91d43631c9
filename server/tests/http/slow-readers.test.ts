import { EventEmitter, once } from "node:events";
import { Agent, request as startRequest, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import type { HttpBindings } from "@hono/node-server";
import { describe, expect, onTestFinished, test } from "vitest";
import { listen } from "../support/listen.js";
import { newPlace } from "../support/load.js";
import { runService } from "../support/run-service.js";

describe("a client that does not read its answer", () => {
  const BIG = "x".repeat(32 * 1024 * 1024);

  test("is disconnected at the timeout, and the memory of its unread response is released", async () => {
    const answers = new EventEmitter();
    const port = await listen((_, bindings) => {
      const { incoming, outgoing } = bindings as HttpBindings;
      const { socket: served } = incoming;
      outgoing.once("close", () => answers.emit("closed", served.destroyed));
      return new Response(BIG);
    }, 300);
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => undefined);
    onTestFinished(() => {
      socket.destroy();
    });
    socket.pause();
    socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    expect(await once(answers, "closed")).toEqual([true]);
  });

  test("is distinguished from one that reads", async () => {
    const port = await listen(() => new Response(BIG), 60_000);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    for (let count = 0; count < 2; count++) {
      const [response] = (await once(startRequest({ port, agent }).end(), "response")) as [IncomingMessage];
      let length = 0;
      for await (const chunk of response) length += (chunk as Buffer).length;
      expect(length).toBe(BIG.length);
    }
  });
});

describe("the limit of connections", () => {
  test("more connections than are allowed are closed as they come, and there is room again when others end", async () => {
    const { place } = await newPlace("PGlite");
    const service = await runService(place, { MAX_CONNECTIONS: "2" });
    const open = async () => {
      const socket = connect(service.port, "127.0.0.1");
      socket.on("error", () => undefined);
      await once(socket, "connect");
      return socket;
    };
    const ask = "GET /people/healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    const first = await open();
    first.write(ask);
    await once(first, "data");
    const second = await open();
    second.write(ask);
    await once(second, "data");
    const third = await open();
    third.resume();
    await once(third, "close");
    first.destroy();
    await expect
      .poll(async () => (await fetch(`${service.url}/healthz`).catch(() => null))?.status)
      .toBe(200);
  });
});
