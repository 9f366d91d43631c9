/** The test's end of steered-page.js: pages come and ask, each under the name of its tab. */
import { readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import type { Tab } from "./engine.js";

interface Answer {
  value?: unknown;
  error?: string;
}

/** What a tab is to do next, and whom to tell. */
interface Order {
  text: string;
  answered(answer: Answer): void;
}

class RemoteTab {
  readonly #orders: Order[] = [];
  #asking: ServerResponse | undefined;
  #current: Order | undefined;
  #came: () => void = () => {};
  #gone: () => void = () => {};
  /** The page has asked for the first time. */
  readonly here = new Promise<void>((resolve) => (this.#came = resolve));
  readonly gone = new Promise<void>((resolve) => (this.#gone = resolve));

  order(work: string, args: unknown[], last = false): Promise<Answer> {
    return new Promise((answered) => {
      this.#orders.push({ text: JSON.stringify({ work, args, last }), answered });
      this.#handOut();
    });
  }

  /** A page asks; the answer to its last order comes with it, unless it has only just come or come back. */
  asked(answer: Answer | null, response: ServerResponse): void {
    this.#came();
    this.#current?.answered(answer ?? { error: "another page came in its place" });
    this.#current = undefined;
    this.#asking = response;
    response.on("close", () => {
      if (this.#asking === response) this.#asking = undefined;
    });
    this.#handOut();
  }

  lives(response: ServerResponse): void {
    response.on("close", this.#gone);
    response.flushHeaders();
  }

  #handOut(): void {
    if (!this.#asking || this.#current) return;
    this.#current = this.#orders.shift();
    if (!this.#current) return;
    this.#asking.end(this.#current.text);
    this.#asking = undefined;
  }
}

export interface Remote {
  /** The script that makes a page ask. */
  readonly script: string;
  /** A page of its own, on another site than what is tested. */
  readonly page: string;
  /** The tab that has `#tab=<name>` in its URL, once it has asked. */
  tab(name: string): Promise<Tab>;
  close(): Promise<void>;
}

const HEADERS = { "Access-Control-Allow-Origin": "*", "Cache-Control": "no-store" };

export const startRemote = async (): Promise<Remote> => {
  const script = await readFile(new URL("./steered-page.js", import.meta.url));
  const tabs = new Map<string, RemoteTab>();
  const tabOf = (name: string): RemoteTab => {
    const tab = tabs.get(name) ?? new RemoteTab();
    tabs.set(name, tab);
    return tab;
  };

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://remote");
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    if (request.method === "POST") {
      const answer = (await json(request)) as Answer | null;
      const tab = tabOf(searchParams.get("tab") ?? "");
      if (pathname === "/alive") tab.lives(response);
      else tab.asked(answer, response);
    } else if (pathname === "/remote.js") {
      response.writeHead(200, { "Content-Type": "text/javascript" }).end(script);
    } else {
      response.writeHead(200, { "Content-Type": "text/html" });
      response.end('<!doctype html><script type="module" src="/remote.js"></script>');
    }
  };
  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;

  return {
    script: `http://127.0.0.1:${port}/remote.js`,
    page: `http://localhost:${port}/`,
    async tab(name) {
      const remote = tabOf(name);
      await remote.here;
      const runLast: Tab["runLast"] = async (work, ...args) => {
        void remote.order(work.toString(), args, true);
        await remote.gone;
      };
      return {
        async run(work, ...args) {
          const { value, error } = await remote.order(work.toString(), args);
          if (error !== undefined) throw new Error(error);
          return value as never;
        },
        runLast,
        close: () => runLast(() => window.close()),
      };
    },
    async close() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
};
