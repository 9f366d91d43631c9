import { Hono } from "hono";

import { DEMO_PEOPLE } from "../demo-people.js";
import { mintDemoJwt } from "./demo-jwt.js";
import { readPerson, type Fetch } from "./person-reads.js";
import type { Reachability } from "./reachability.js";
import type { WireLog } from "./wire-log.js";

/** The routes of the demo, which are no part of the service. */
export function demoRoutes(service: Fetch, reachability: Reachability, wireLog: WireLog): Hono {
  const app = new Hono();

  app.post("/jwt", async (context) => {
    const { personId } = await context.req.json<{ personId?: unknown }>();
    const person = DEMO_PEOPLE.find(({ id }) => id === personId);
    return person ? context.json({ jwt: mintDemoJwt(person.id) }) : context.json({ error: "nobody" }, 404);
  });

  app.put("/reachable", async (context) => {
    const { reachable } = await context.req.json<{ reachable?: unknown }>();
    reachability.set(reachable === true);
    return context.body(null, 204);
  });

  app.get("/feed", (context) => {
    const after = Number(context.req.query("after")) || 0;
    return context.json(wireLog.since(after, context.req.query("boot") ?? "", reachability.isOn));
  });

  app.get("/persons/:id", async (context) => {
    const reading = await readPerson(service, context.req.param("id"));
    return reading ? context.json(reading) : context.json({ error: "no such person" }, 404);
  });

  return app;
}
