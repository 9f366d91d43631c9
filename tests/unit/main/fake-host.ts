import { expose } from "comlink";
import type { HostKind, Outcome, OutboxRow, TrackerState, TrackingError } from "../../../src/protocol/api.js";
import type {
  AttachAnswer,
  Command,
  CommandBatch,
  Host,
  HostClocks,
  HostMessage,
  HostState,
  InitAnswer,
  InitRequest,
  InspectQuery,
  PageHello,
  PageSignal,
  Refusal,
} from "../../../src/protocol/host.js";
import { PROTOCOL_VERSION } from "../../../src/protocol/host.js";
import { commandsIn } from "../../../src/core/commands/command-batch.js";
import { trackingError } from "../../../src/core/errors.js";
import { helloProblem } from "../../../src/worker/check-hello.js";

const hostState: HostState = {
  storage: "disk",
  online: true,
  optedOut: false,
  profile: { kind: "visitor", id: "v1" },
  session: null,
  outbox: { waiting: 0, rejected: 0 },
  delivery: { status: "idle" },
};

/** What subscribers get of it where the host is a shared worker. */
export const idleState: TrackerState = { host: "shared", ...hostState };

const never = new Promise<never>(() => {});

type WithoutClocks<Message> = Message extends HostMessage ? Omit<Message, "clocks"> : never;

/** A host that responds as a test wants it to, or does not, and remembers its calls. */
export class FakeHost implements Host {
  readonly calls: [keyof Host, ...unknown[]][] = [];
  /** Commands in the order of their first arrival, by number. */
  readonly stored = new Map<number, Command>();
  /** Methods without a response; what they do is done all the same. */
  readonly silent = new Set<keyof Host>();
  /** Its refusals are those of a host that could not decide. */
  undecided = false;
  /** Refuses a command. */
  refuse: (command: Command) => TrackingError | undefined = () => undefined;
  attachAnswer: AttachAnswer = { ok: true, generation: 0, state: hostState };
  initAnswer: InitAnswer = { success: true };
  flushAnswer: Outcome<{ waiting: number }> = { success: true, data: { waiting: 0 } };
  rows: OutboxRow[] = [];
  /** What its clocks show beyond the page's. */
  ahead: HostClocks = { now: 0, monotonic: 0 };
  port: MessagePort | undefined;
  closed = false;

  constructor(
    readonly kind: HostKind,
    readonly name: string,
  ) {}

  serve(port: MessagePort): void {
    this.port = port;
    port.addEventListener("close", () => (this.closed = true));
    expose(this, port);
    this.hello("first");
  }

  hello(instance: string, protocol = PROTOCOL_VERSION): void {
    this.say({ peopleTracking: "hello", protocol, instance });
  }

  say(message: WithoutClocks<HostMessage>): void {
    const clocks = {
      now: Date.now() + this.ahead.now,
      monotonic: performance.now() + this.ahead.monotonic,
    } satisfies HostClocks;
    this.port?.postMessage({ ...message, clocks });
  }

  /** The arguments of each call of a method. */
  asked(method: keyof Host): unknown[][] {
    return this.calls.filter(([name]) => name === method).map(([, ...args]) => args);
  }

  /** What `init()` requested. */
  get inits(): InitRequest[] {
    return this.asked("attach").flatMap(([, init]) => (init ? [init as InitRequest] : []));
  }

  /** The commands that arrived, the events with their page. */
  get batches(): Command[][] {
    return this.asked("submit").map(([, batch]) => {
      const { commands, page } = JSON.parse(batch as string) as CommandBatch;
      return commandsIn(JSON.stringify({ commands, page }));
    });
  }

  attach(hello: PageHello, init?: InitRequest): Promise<AttachAnswer> {
    const problem = helloProblem(hello);
    const answer: AttachAnswer =
      problem === undefined
        ? this.attachAnswer
        : { ok: false, error: trackingError(2102, "fe-snippet", problem) };
    const command = init?.view?.command;
    const isTaken = command && answer.ok && !answer.state.optedOut && this.initAnswer.success;
    const view = isTaken && { n: command.n, ...this.#refusals([command as Command])[0] };
    const asked = init && { init: { ...this.initAnswer, ...(view && { view }) } };
    return this.#answer(
      "attach",
      init ? [hello, init] : [hello],
      answer.ok ? { ...answer, ...asked } : answer,
    );
  }
  submit(pageId: string, batch: string, calledAt?: number): Promise<Refusal[]> {
    const passedMs = calledAt && performance.now() + this.ahead.monotonic - calledAt;
    const commands = commandsIn(
      batch,
      passedMs === undefined ? undefined : Date.now() + this.ahead.now - passedMs,
    );
    return this.#answer("submit", [pageId, batch, calledAt], this.#refusals(commands));
  }
  signal(signal: PageSignal): Promise<void> {
    return this.#answer("signal", [signal], undefined);
  }
  flush(until: number): Promise<Outcome<{ waiting: number }>> {
    return this.#answer("flush", [until], this.flushAnswer);
  }
  inspect(query: InspectQuery): Promise<Outcome<OutboxRow[]>> {
    return this.#answer("inspect", [query], { success: true, data: this.rows });
  }
  retryRejected(ids?: string[]): Promise<Outcome<{ requeued: number }>> {
    return this.#answer("retryRejected", [ids], { success: true, data: { requeued: 1 } });
  }
  discardRejected(ids?: string[]): Promise<Outcome<{ discarded: number }>> {
    return this.#answer("discardRejected", [ids], { success: true, data: { discarded: 1 } });
  }
  setConsent(consent: "in" | "out"): Promise<Outcome> {
    return this.#answer("setConsent", [consent], { success: true, data: null });
  }
  eraseLocalData(): Promise<Outcome> {
    return this.#answer("eraseLocalData", [], { success: true, data: null });
  }
  detach(): Promise<void> {
    return this.#answer("detach", [], undefined);
  }

  #refusals(commands: Command[]): Refusal[] {
    return commands.flatMap((command) => {
      const error = this.refuse(command);
      if (error) return [{ n: command.n, error, ...(this.undecided && ({ undecided: true } as const)) }];
      if (!this.stored.has(command.n)) this.stored.set(command.n, command);
      return [];
    });
  }

  #answer<Answer>(method: keyof Host, args: unknown[], answer: Answer): Promise<Answer> {
    this.calls.push([method, ...args]);
    return this.silent.has(method) ? never : Promise.resolve(answer);
  }
}
