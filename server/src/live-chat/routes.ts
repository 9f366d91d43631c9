import type { Hono } from "hono";
import * as v from "valibot";
import { describe, jsonSchemaOf } from "../http/describe-route.js";
import type { Edge } from "../http/edge.js";
import type { Limits } from "../http/limits.js";
import { limitRate } from "../http/rate-limit.js";
import { readBody, SMALL_BODY_BYTES } from "../http/request-body.js";
import type { LiveChat } from "./live-chat.js";

const tag = "Live Chat";
const path = "/v1/live-chat/sessions";

const startSchema = v.object({});
const authenticateSchema = v.object({
  jwt: v.pipe(v.string("must be a string"), v.maxLength(8192)),
  sessionId: v.exactOptional(v.pipe(v.string("must be a string"), v.maxLength(128))),
});
const personSchema = v.object({ kind: v.picklist(["lead", "authenticated"]), id: v.string() });
const currentSchema = v.object({ sessionId: v.string(), person: personSchema });
const answerSchema = v.object({ sessionId: v.string(), token: v.string(), person: personSchema });

/** The routes for a site's Live Chat widget. */
export function addLiveChatRoutes(
  app: Hono,
  { liveChat, limits }: { liveChat: LiveChat; limits: Limits },
  { addressOf, authenticate, inFlight }: Edge,
): void {
  // These routes need no credential, so they are limited by address only.
  const [limitStarts, limitSignIns] = [limitRate(limits.chatsPerMinute), limitRate(limits.chatsPerMinute)];
  app.post(
    path,
    describe({
      summary: "Start a chat: a new lead",
      tag,
      body: jsonSchemaOf(startSchema),
      answer: { status: 201, description: "The session.", schema: jsonSchemaOf(answerSchema) },
      errors: [400, 413, 415, 429],
    }),
    async (c) => {
      const address = addressOf(c);
      if (address !== undefined) await limitStarts(address);
      return inFlight(address, async (reserve) => {
        await readBody(c.req.raw, startSchema, SMALL_BODY_BYTES, reserve);
        return c.json(await liveChat.start(), 201);
      });
    },
  );
  app.post(
    `${path}/authenticate`,
    describe({
      summary: "Sign in with a JWT of the widget, in a new session or in a lead's",
      tag,
      body: jsonSchemaOf(authenticateSchema),
      answer: { status: 200, description: "The session.", schema: jsonSchemaOf(answerSchema) },
      errors: [400, 401, 413, 415, 429],
    }),
    async (c) => {
      const address = addressOf(c);
      if (address !== undefined) await limitSignIns(address);
      return inFlight(address, async (reserve) => {
        const { jwt, sessionId } = await readBody(c.req.raw, authenticateSchema, SMALL_BODY_BYTES, reserve);
        return c.json(await liveChat.authenticate(jwt, sessionId));
      });
    },
  );
  app.get(
    `${path}/current`,
    describe({
      summary: "The session of a Live Chat token",
      tag,
      security: "liveChat",
      answer: { status: 200, description: "The session.", schema: jsonSchemaOf(currentSchema) },
      errors: [401, 429],
    }),
    async (c) => c.json(await authenticate(c, "Bearer", (token) => liveChat.current(token))),
  );
  app.delete(
    `${path}/current`,
    describe({
      summary: "Terminate the session of a Live Chat token",
      tag,
      security: "liveChat",
      answer: { status: 204, description: "It is terminated." },
      errors: [401, 429],
    }),
    async (c) => {
      await authenticate(c, "Bearer", (token) => liveChat.terminate(token));
      return c.body(null, 204);
    },
  );
}
