import { execFile, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { Agent, request } from "node:http";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { freePort } from "../../server/tests/support/free-port.js";
import { DEFINITION, type Body } from "./batches.js";
import type { Place } from "./places.js";

/** The built service in a process of its own, reached over HTTP alone. */
export interface ServiceProcess {
  /** A new visitor's registration token. */
  register(): Promise<string>;
  /** The answer's text. */
  send(token: string, body: Body): Promise<string>;
  stop(): Promise<void>;
}

const dist = (file: string): string => fileURLToPath(new URL(`../../server/dist/${file}`, import.meta.url));

const json = (value: unknown): Body => ({
  headers: { "Content-Type": "application/json" },
  bytes: Buffer.from(JSON.stringify(value)),
});

export async function startService(place: Place, connections: number): Promise<ServiceProcess> {
  const port = await freePort();
  const env = {
    ...process.env,
    ...place,
    PORT: String(port),
    DATABASE_CONNECTIONS: String(connections),
  };
  const newKey = async (...scopes: string[]): Promise<string> => {
    const args = [dist("keys.js"), "create", ...scopes.flatMap((scope) => ["--scope", scope])];
    const { stdout } = await promisify(execFile)(process.execPath, args, { env });
    return /key {2}(\S+)/.exec(stdout)![1]!;
  };
  const trackingKey = await newKey("web:tracking:sdk");
  const adminKey = await newKey("people:manage");

  const child = spawn(process.execPath, [dist("main.js")], {
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  await new Promise<void>((resolve, reject) => {
    child.stdout.on("data", (lines) => {
      if (String(lines).includes('"listening"')) resolve();
    });
    child.once("exit", (code) => reject(new Error(`the service ended with ${code} before it listened`)));
  });

  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const call = (
    method: string,
    path: string,
    authorization: string,
    { headers, bytes }: Body,
  ): Promise<string> =>
    new Promise((resolve, reject) => {
      const sent = request(
        {
          agent,
          port,
          method,
          path: `/people${path}`,
          headers: { ...headers, authorization, "Content-Length": bytes.length },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("error", reject);
          response.on("end", () => {
            const text = Buffer.concat(chunks).toString();
            if (response.statusCode === 200) resolve(text);
            else reject(new Error(`${method} ${path} answered ${response.statusCode}: ${text}`));
          });
        },
      );
      sent.on("error", reject);
      sent.end(bytes);
    });
  const { id, ...definition } = DEFINITION;
  await call("PUT", `/v1/definitions/${id}`, `App ${adminKey}`, json(definition));
  return {
    async register() {
      const profile = { kind: "visitor", id: randomUUID() };
      const answer = await call("POST", "/v1/registrations", `App ${trackingKey}`, json({ profile }));
      return (JSON.parse(answer) as { token: string }).token;
    },
    send: (token, body) => call("POST", "/v1/batches", `Bearer ${token}`, body),
    async stop() {
      agent.destroy();
      child.kill("SIGTERM");
      await exited;
    },
  };
}
