/** WebKitGTK through WebKitWebDriver. Its sessions are ephemeral: they cannot be killed and found again. */
import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, vi } from "vitest";
import { freePort } from "../../../server/tests/support/free-port.js";
import { openDisplay } from "./display.js";
import type { Browser, Engine, Profile, Tab } from "./engine.js";
import { quietly } from "./mini-browser.js";
import { program, programs } from "./programs.js";

const START_TIMEOUT_MS = 30_000;
const SCRIPT_TIMEOUT_MS = 100_000;

class Session {
  readonly #url: string;
  /** One command at a time: which window it is for is the session's state. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(url: string) {
    this.#url = url;
  }

  async call<Value>(method: string, path: string, body?: object): Promise<Value> {
    const response = await fetch(this.#url + path, {
      method,
      ...(body && { body: JSON.stringify(body) }),
    });
    const { value } = (await response.json()) as { value: Value & { message?: string } };
    if (!response.ok) throw new Error(`${method} ${path}: ${JSON.stringify(value)}`);
    return value;
  }

  inTurn<Value>(work: () => Promise<Value>): Promise<Value> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => {});
    return turn;
  }

  windows(): Promise<string[]> {
    return this.inTurn(() => this.call<string[]>("GET", "/window/handles"));
  }

  in<Value>(handle: string, method: string, path: string, body?: object): Promise<Value> {
    return this.inTurn(async () => {
      await this.call("POST", "/window", { handle });
      return this.call<Value>(method, path, body);
    });
  }
}

/** The script answers at once and asks later: one that waits in one tab would keep the session from the others. */
const START = `const [key, work, args] = arguments;
window[key] = { done: false };
Promise.resolve().then(() => (0, eval)("(" + work + ")")(...args)).then(
  (value) => (window[key] = { done: true, value }),
  (error) => (window[key] = { done: true, error: String(error) }));`;

interface Progress<Result> {
  done: boolean;
  value?: Result;
  error?: string;
}

let runs = 0;

const tabOf = (session: Session, handle: string): Tab => {
  const execute = <Value>(script: string, args: unknown[]) =>
    session.in<Value>(handle, "POST", "/execute/sync", { script, args });
  return {
    async run<Args extends unknown[], Result>(
      work: (...args: Args) => Result | Promise<Result>,
      ...args: Args
    ) {
      const key = `run-${++runs}`;
      await execute(START, [key, work.toString(), args]);
      let progress: Progress<Result> = { done: false };
      const look = () => execute<Progress<Result>>("return window[arguments[0]]", [key]);
      await expect
        .poll(async () => (progress = await look()).done, { timeout: SCRIPT_TIMEOUT_MS, interval: 20 })
        .toBe(true);
      if (progress.error !== undefined) throw new Error(progress.error);
      return progress.value as Result;
    },
    async runLast(work, ...args) {
      // A task later, so that the driver has its answer before the page is gone.
      const script = `setTimeout(() => (${work.toString()})(...${JSON.stringify(args)}))`;
      await execute(script, []);
      await expect.poll(() => session.windows(), { timeout: SCRIPT_TIMEOUT_MS }).not.toContain(handle);
    },
    close: () => session.in(handle, "DELETE", "/window"),
  };
};

const start = async (url: string): Promise<Browser> => {
  const capabilities = {
    alwaysMatch: {
      "webkitgtk:browserOptions": { binary: program("miniBrowser"), args: ["--automation"] },
    },
  };
  const { sessionId } = await new Session(url).call<{ sessionId: string }>("POST", "/session", {
    capabilities,
  });
  const session = new Session(`${url}/session/${sessionId}`);
  const first = await session.call<string>("GET", "/window");
  return {
    async open(target) {
      // From the first window: where the current one is closed, the driver opens none.
      const { handle } = await session.in<{ handle: string }>(first, "POST", "/window/new", { type: "tab" });
      await session.in(handle, "POST", "/url", { url: target });
      return tabOf(session, handle);
    },
    kill: () => Promise.reject(new Error("an automation session does not come back")),
  };
};

const newProfile = async (): Promise<Profile> => {
  const folder = await mkdtemp(join(tmpdir(), "people-tracking-"));
  const display = await openDisplay();
  const port = await freePort();
  const driver: ChildProcess = spawn(program("webKitDriver"), [`--port=${port}`, "--host=127.0.0.1"], {
    env: quietly(display, folder),
    stdio: "ignore",
    // A group of its own, so that the browser ends with it.
    detached: true,
  });
  const url = `http://127.0.0.1:${port}`;
  await vi.waitFor(() => fetch(`${url}/status`), { timeout: START_TIMEOUT_MS });
  return {
    browse: () => start(url),
    async remove() {
      const ended = once(driver, "exit");
      process.kill(-(driver.pid as number), "SIGKILL");
      await ended;
      await display.close();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
};

export const webDriver: Engine = {
  name: "WebKitGTK, driven",
  missing: programs.webKitDriver && programs.xvfb ? undefined : "webkit2gtk-driver xvfb",
  newProfile,
};
