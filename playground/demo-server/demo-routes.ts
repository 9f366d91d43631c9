import { Hono } from "hono";

import { DEMO_PEOPLE } from "../demo-people.js";
import { mintDemoJwt } from "./demo-jwt.js";
import { DEMO_ADMIN_KEY } from "./demo-secrets.js";
import type { Reachability } from "./reachability.js";
import type { WireLog } from "./wire-log.js";

type Fetch = (request: Request) => Response | Promise<Response>;

/** What only the demo has: no part of the service, and nothing that a shop would have. */
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

  // Read on the page's behalf, so that the admin key never reaches it; and past the switch, so that one sees what the
  // service has while nothing can reach it.
  app.get("/persons/:id", (context) =>
    readAsAdmin(service, `/persons/${encodeURIComponent(context.req.param("id"))}`),
  );
  app.get("/persons/:id/timeline", (context) =>
    readAsAdmin(
      service,
      `/persons/${encodeURIComponent(context.req.param("id"))}/timeline${new URL(context.req.url).search}`,
    ),
  );

  return app;
}

const readAsAdmin = (service: Fetch, path: string) =>
  service(
    new Request(`http://localhost/people/v1${path}`, { headers: { Authorization: `App ${DEMO_ADMIN_KEY}` } }),
  );
