import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { serveStatic } from "@hono/node-server/serve-static";
import { Hono } from "hono";

/** The page's security policy: scripts, styles, fonts, the worker and requests are all of its own origin. */
const POLICY = [
  "default-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "object-src 'none'",
].join("; ");

/** Serves the built page at every address of the shop, and the tracker's service worker. */
export async function pageRoutes(folder: string, serviceWorkerFile: string): Promise<Hono> {
  const serviceWorker = await readFile(serviceWorkerFile, "utf8");
  const html = await readFile(join(folder, "index.html"), "utf8");
  const app = new Hono();
  app.use(async (context, next) => {
    await next();
    context.header("Content-Security-Policy", POLICY);
    context.header("X-Content-Type-Options", "nosniff");
    context.header("Referrer-Policy", "strict-origin-when-cross-origin");
  });
  // Their names contain a hash of their content.
  app.use("/assets/*", async (context, next) => {
    await next();
    if (context.res.ok) context.header("Cache-Control", "public, max-age=31536000, immutable");
  });
  app.get("/assets/*", serveStatic({ root: folder }));
  app.get("/assets/*", (context) => context.notFound());
  // At the root, because a service worker's scope is its folder.
  app.get("/service-worker.js", (context) =>
    context.body(serviceWorker, 200, { "Content-Type": "text/javascript", "Cache-Control": "no-cache" }),
  );
  app.get("*", (context) => {
    context.header("Cache-Control", "no-cache");
    return context.html(html);
  });
  return app;
}
