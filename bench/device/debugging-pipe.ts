/** The Chrome DevTools Protocol over the browser's pipe: JSON messages, each followed by a zero byte. */
import type { Readable, Writable } from "node:stream";

interface Answer {
  id?: number;
  result?: unknown;
  error?: { message: string };
}

interface Pending {
  method: string;
  resolve: (result: unknown) => void;
  reject: (error: Error) => void;
}

export class DebuggingPipe {
  readonly #to: Writable;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  #received = "";

  constructor(to: Writable, from: Readable) {
    this.#to = to;
    // What is written to a browser that has ended is reported by `close`.
    to.on("error", () => {});
    from.setEncoding("utf8").on("data", (text: string) => this.#receive(text));
    from.on("close", () => this.#fail("the browser has ended"));
  }

  /** @param sessionId - of an attached page or worker; the browser itself without it */
  send<Result>(method: string, params: object = {}, sessionId?: string): Promise<Result> {
    const id = ++this.#lastId;
    this.#to.write(`${JSON.stringify({ id, method, params, ...(sessionId && { sessionId }) })}\0`);
    return new Promise<unknown>((resolve, reject) => {
      this.#pending.set(id, { method, resolve, reject });
    }) as Promise<Result>;
  }

  #receive(text: string): void {
    const messages = (this.#received + text).split("\0");
    this.#received = messages.pop() ?? "";
    for (const message of messages) this.#settle(JSON.parse(message) as Answer);
  }

  #settle({ id, result, error }: Answer): void {
    const pending = id === undefined ? undefined : this.#pending.get(id);
    if (id === undefined || !pending) return;
    this.#pending.delete(id);
    if (error) pending.reject(new Error(`${pending.method}: ${error.message}`));
    else pending.resolve(result);
  }

  #fail(reason: string): void {
    for (const { method, reject } of this.#pending.values()) reject(new Error(`${method}: ${reason}`));
    this.#pending.clear();
  }
}
