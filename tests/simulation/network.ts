/** The way from one host to the service: requests and answers are lost, late, doubled, overtaken, or not the service's. */
import type { Transport, WireAnswer, WireRequest } from "../../src/core/ports.js";
import { MINUTE, SECOND } from "../../src/protocol/wire.js";
import { errorAnswer, halfOf } from "../support/service-requests.js";
import type { Checks } from "./checks.js";
import type { Origin } from "./origin.js";
import type { Sender } from "./sending.js";

const ANSWER_TIMEOUT_MS = 30 * SECOND;

/** Each kind of fault, and what of it reaches whom. */
type Fault =
  | { kind: string; answer: WireAnswer }
  | { kind: string; isLost: "request" | "answer" }
  | { kind: string; isDoubled: true }
  | { kind: string; isHalf: "answer" | "request" }
  | { kind: string; delayMs: number };

const refused = (status: number, code = status): Fault => ({
  kind: `answer ${status}${code === status ? "" : ` (${code})`}`,
  answer: errorAnswer(status, code),
});
const FAULTS: readonly Fault[] = [
  { kind: "request lost", isLost: "request" },
  { kind: "request lost", isLost: "request" },
  { kind: "answer lost", isLost: "answer" },
  { kind: "answer lost", isLost: "answer" },
  { kind: "request doubled", isDoubled: true },
  { kind: "request late, overtaken", delayMs: 40 * SECOND },
  { kind: "half the results", isHalf: "answer" },
  { kind: "half is applied", isHalf: "request" },
  { kind: "captive portal", answer: { status: 200 } },
  { kind: "captive portal's JSON", answer: { status: 200, body: { results: "no" } } },
  { kind: "proxy's 400", answer: { status: 400 } },
  { kind: "proxy's 413", answer: { status: 413, body: { error: "too large" } } },
  refused(401),
  refused(403),
  refused(403, 4031),
  refused(408),
  refused(425),
  refused(500),
  { kind: "proxy's 502", answer: { status: 502 } },
  refused(503),
];

/** What proxies that spoil compressed bodies, or do not pass them on, have the tracker hear. */
export const COMPRESSED_ANSWERS: readonly WireAnswer[] = [
  errorAnswer(400),
  errorAnswer(400),
  { status: 400 },
  { status: 415 },
];

export class SimulatedTransport implements Transport {
  readonly #host: Sender;
  readonly #origin: Origin;
  readonly #checks: Checks;
  readonly #underWay = new Set<(answer: WireAnswer) => void>();

  constructor(host: Sender, origin: Origin, checks: Checks) {
    this.#host = host;
    this.#origin = origin;
    this.#checks = checks;
  }

  send(request: WireRequest): Promise<WireAnswer> {
    const { sending, outbox } = this.#checks;
    const { scheduler } = this.#origin.environment;
    const isBatch = request.url.endsWith("/v1/batches");
    const isCompressed = request.mayCompress === true;
    const sent = isBatch ? sending.began(this.#host, isCompressed) : null;
    if (isBatch && this.#host.store.lastRead?.kind === "memory") outbox.sentFromMemory(request);
    sending.checkRequest(this.#host);
    return new Promise((resolve) => {
      const finish = (answer: WireAnswer): void => {
        if (!this.#underWay.delete(finish)) return;
        giveUp();
        if (sent) sending.ended(sent);
        if (answer.retryAfterMs !== undefined) sending.heardRetryAfter(this.#host, answer.retryAfterMs);
        resolve({ ...answer, ...(isCompressed && answer.status > 0 && { compressed: true }) });
      };
      this.#underWay.add(finish);
      const giveUp = this.#host.after(ANSWER_TIMEOUT_MS, () => finish({ status: 0 }));
      const answer = (given: WireAnswer) => this.#host.after(this.#delay(), () => finish(given));
      scheduler.after(this.#delay(), () => this.#travel(request, answer));
    });
  }

  abortAll(): void {
    for (const finish of this.#underWay) finish({ status: 0, cutOff: true });
  }

  #travel(request: WireRequest, answer: (given: WireAnswer) => void): void {
    const { scheduler, plan, chronicle, service } = this.#origin.environment;
    const { name } = this.#host;
    const { offlineUntil, compressedAnswer } = this.#origin;
    if (scheduler.now < offlineUntil) return answer({ status: 0 });
    if (request.mayCompress && compressedAnswer) return answer(compressedAnswer);
    if (!scheduler.chance(plan.networkFaults)) return answer(service.answer(request));
    const fault = this.#fault();
    chronicle.fault(name, `network: ${fault.kind}`);
    if ("answer" in fault) return answer(fault.answer);
    if ("isLost" in fault) {
      if (fault.isLost === "answer") service.answer(request);
      if (scheduler.chance(0.5)) answer({ status: 0 });
    } else if ("isDoubled" in fault) {
      answer(service.answer(request));
      scheduler.after(scheduler.upTo(2 * MINUTE), () => void service.answer(request));
    } else if ("isHalf" in fault) {
      const named = 1 + scheduler.upTo(10);
      if (fault.isHalf === "answer") answer(halfOf(service.answer(request), named));
      else answer(service.answer(halfRequest(request, named)));
    } else scheduler.after(scheduler.upTo(fault.delayMs), () => answer(service.answer(request)));
  }

  #fault(): Fault {
    const { scheduler } = this.#origin.environment;
    if (!scheduler.chance(0.12)) return scheduler.pick(FAULTS);
    const status = scheduler.pick([429, 503]);
    const retryAfterMs = scheduler.pick([5 * SECOND, 1 * MINUTE, 10 * MINUTE]);
    return { kind: `answer ${status} with Retry-After`, answer: errorAnswer(status, status, retryAfterMs) };
  }

  #delay(): number {
    const { scheduler, plan } = this.#origin.environment;
    return scheduler.upTo(plan.networkDelayMs);
  }
}

const halfRequest = (request: WireRequest, named: number): WireRequest => {
  const body = JSON.parse(request.body ?? "null") as { operations?: unknown[] } | null;
  if (!body?.operations) return request;
  return { ...request, body: JSON.stringify({ ...body, operations: body.operations.slice(0, named) }) };
};
