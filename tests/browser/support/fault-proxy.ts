/**
 * The way between a browser and the real People service, where everything goes wrong that a network can do, and those
 * who sit on it. A fault strikes single requests and is counted; whether the service has done its work is said by name.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import type { PeopleService } from "../../../server/src/index.js";
import type { Profile } from "../../../src/protocol/api.js";
import type { BatchRequest, Operation, RegistrationRequest } from "../../../src/protocol/wire.js";

export interface SiteRequest {
  method: string;
  path: string;
  /** The header, which says for whom it speaks. */
  authorization: string;
  /** Of a batch. */
  operations: readonly Operation[];
  isCompressed: boolean;
  /** Whom a registration is for. */
  registering: Profile | null;
  /** `null` where the connection was cut. */
  status: number | null;
}

export interface Answer {
  status: number;
  headers?: Record<string, string>;
  body: string;
}

interface Sent {
  headers: IncomingMessage["headers"];
  body: Buffer;
}

/** One request on its way. */
interface Exchange {
  /** Lets the service do its work, on the request as it came or with this done to it on its way. */
  readonly ask: (change?: (sent: Sent) => Sent) => Promise<Answer>;
  readonly answer: (given: Answer) => void;
  /** Sends half of the answer and closes the connection. */
  readonly answerHalf: (given: Answer) => void;
  /** Closes the connection. */
  readonly cut: () => void;
  /** The same, but as a middlebox does it. */
  readonly reset: () => void;
}

type Happening = (exchange: Exchange) => unknown;

const LATE_MS = 700;
/** A gateway that takes no more at once. */
const MOST_OPERATIONS = 7;

const instead =
  (status: number, body = "", headers: Record<string, string> = {}): Happening =>
  ({ answer }) =>
    // Readable from another origin, as the service's own answers are.
    answer({
      status,
      body,
      headers: {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Expose-Headers": "Retry-After",
        ...headers,
      },
    });

const HTML = { "Content-Type": "text/html" };
const TOO_LARGE = { code: 4130, name: "PayloadTooLarge", message: "too large", origin: "gateway" };

const UNREADABLE = {
  code: 4000,
  name: "BadRequestError",
  message: "the body is not JSON",
  origin: "gateway",
};

const FAULTS = {
  unreachable: ({ cut }) => cut(),
  reset: ({ reset }) => reset(),
  "lost answer": async ({ ask, cut }) => {
    await ask();
    cut();
  },
  "reset answer": async ({ ask, reset }) => {
    await ask();
    reset();
  },
  "late request": async ({ ask, answer }) => {
    await sleep(LATE_MS);
    answer(await ask());
  },
  "late answer": async ({ ask, answer }) => {
    const given = await ask();
    await sleep(LATE_MS);
    answer(given);
  },
  "half body": async ({ ask, answerHalf }) => answerHalf(await ask()),
  "half chunked body": async ({ ask, answerHalf }) => {
    const { status, headers, body } = await ask();
    answerHalf({ status, headers: { ...headers, "Transfer-Encoding": "chunked" }, body });
  },
  "half the JSON": async ({ ask, answer }) => {
    const { status, headers = {}, body } = await ask();
    const { "content-length": _, ...rest } = headers;
    answer({ status, headers: rest, body: body.slice(0, body.length / 2) });
  },
  "408": instead(408),
  "413": instead(413, JSON.stringify({ error: { ...TOO_LARGE, platform: "test" } })),
  "429 with Retry-After": instead(429, "{}", { "Retry-After": "1" }),
  "503": instead(503),
  "captive portal": instead(200, "<!doctype html><title>Welcome to our Wi-Fi</title>", HTML),
  "redirect to a portal": instead(302, "", { Location: "/portal" }),
  "decoded body": async ({ ask, answer }) =>
    answer(await ask(({ headers, body }) => ({ headers, body: gunzipSync(body) }))),
  "dropped encoding header": async ({ ask, answer }) =>
    answer(await ask(({ headers: { "content-encoding": _, ...headers }, body }) => ({ headers, body }))),
  "compressed body unread": instead(400, JSON.stringify({ error: { ...UNREADABLE, platform: "test" } })),
  "compressed body not passed on": instead(400, "Bad Request", HTML),
  "415": instead(415),
} satisfies Record<string, Happening>;

export type FaultName = keyof typeof FAULTS;
export const FAULT_NAMES = Object.keys(FAULTS) as FaultName[];
/** What only compressed bodies meet. */
export const COMPRESSION_FAULTS = [
  "decoded body",
  "dropped encoding header",
  "compressed body unread",
  "compressed body not passed on",
  "415",
] as const satisfies FaultName[];

const strikes = (name: FaultName, { operations, isCompressed }: SiteRequest): boolean =>
  COMPRESSION_FAULTS.some((fault) => fault === name)
    ? isCompressed
    : name !== "413" || operations.length > MOST_OPERATIONS;

/** A fault, or an answer in the service's stead; `undefined` lets it through. */
type Fate = FaultName | Answer | undefined;
/** What happens to a request, once that is known. */
export type Interceptor = (request: SiteRequest) => Fate | Promise<Fate>;

export interface FaultProxy {
  /** What came, in order. */
  readonly requests: readonly SiteRequest[];
  /** How many requests each fault has struck. */
  readonly faults: ReadonlyMap<FaultName, number>;
  readonly setReachable: (reachable: boolean) => void;
  readonly intercept: (interceptor: Interceptor | null) => void;
  readonly handle: RequestListener;
}

const isCompressed = ({ headers }: IncomingMessage): boolean => headers["content-encoding"] === "gzip";

const operationsOf = (request: IncomingMessage, path: string, body: Buffer): Operation[] => {
  if (request.method !== "POST" || !path.endsWith("/v1/batches")) return [];
  const json = isCompressed(request) ? gunzipSync(body) : body;
  return (JSON.parse(json.toString()) as BatchRequest).operations;
};

const registrationOf = ({ method }: IncomingMessage, path: string, body: Buffer): Profile | null =>
  method === "POST" && path.endsWith("/v1/registrations")
    ? (JSON.parse(body.toString()) as RegistrationRequest).profile
    : null;

/** Its length goes with it, for that may have been changed. The answer is asked for uncompressed, because it is read here. */
const toRequest = (
  { method = "GET", url }: IncomingMessage,
  { headers: { "content-length": _, "accept-encoding": __, ...headers }, body }: Sent,
): Request =>
  new Request(`http://site${url}`, {
    method,
    headers: [
      ...Object.entries(headers).map(([name, value]) => [name, String(value)] as [string, string]),
      ["content-length", String(body.length)],
    ],
    ...(body.length > 0 && { body: new Uint8Array(body) }),
  });

export const createFaultProxy = (service: PeopleService): FaultProxy => {
  const requests: SiteRequest[] = [];
  const faults = new Map<FaultName, number>();
  let reachable = true;
  let interceptor: Interceptor | null = null;

  const exchangeOf = (
    request: IncomingMessage,
    response: ServerResponse,
    entry: SiteRequest,
    body: Buffer,
  ): Exchange => ({
    async ask(change = (sent) => sent) {
      const { headers } = request;
      const answer = await service.fetch(toRequest(request, change({ headers, body })));
      return {
        status: answer.status,
        headers: Object.fromEntries(answer.headers),
        body: await answer.text(),
      };
    },
    answer(given) {
      entry.status = given.status;
      response.writeHead(given.status, given.headers).end(given.body || undefined);
    },
    answerHalf({ status, headers = {}, body: whole }) {
      const isChunked = "Transfer-Encoding" in headers;
      response.writeHead(status, {
        ...headers,
        ...(!isChunked && { "Content-Length": Buffer.byteLength(whole) }),
      });
      response.write(whole.slice(0, whole.length / 2) || " ", () => request.socket.destroy());
    },
    cut: () => void request.socket.destroy(),
    reset: () => void request.socket.resetAndDestroy(),
  });

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await buffer(request);
    const { pathname: path } = new URL(request.url ?? "/", "http://site");
    const entry: SiteRequest = {
      method: request.method ?? "",
      path,
      authorization: request.headers.authorization ?? "",
      operations: operationsOf(request, path, body),
      isCompressed: isCompressed(request),
      registering: registrationOf(request, path, body),
      status: null,
    };
    requests.push(entry);
    const exchange = exchangeOf(request, response, entry, body);
    const fate = reachable ? await interceptor?.(entry) : "unreachable";
    if (typeof fate === "object") return exchange.answer(fate);
    if (!fate || !strikes(fate, entry)) return exchange.answer(await exchange.ask());
    faults.set(fate, (faults.get(fate) ?? 0) + 1);
    await FAULTS[fate](exchange);
  };

  return {
    requests,
    faults,
    setReachable: (value) => (reachable = value),
    intercept: (value) => (interceptor = value),
    handle: (request, response) => void handle(request, response).catch(() => request.socket.destroy()),
  };
};
