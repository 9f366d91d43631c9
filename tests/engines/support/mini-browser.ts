/**
 * WebKitGTK's MiniBrowser with data folders of its own, for its automation sessions forget everything at their end.
 * Nobody drives it: its pages ask what to do (steered-page.js). So tabs close by `window.close()` only.
 */
import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Display } from "./display.js";
import { openDisplay } from "./display.js";
import type { Browser, Engine, Profile } from "./engine.js";
import { program, programs } from "./programs.js";
import type { Remote } from "./remote.js";
import { startRemote } from "./remote.js";

const FOLDERS = ["XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"];

/** WebKitGTK without a session bus, a screen reader or a graphics card. */
export const quietly = (display: Display, folder: string): NodeJS.ProcessEnv => ({
  ...process.env,
  ...Object.fromEntries(FOLDERS.map((name) => [name, join(folder, name)])),
  DISPLAY: display.name,
  GDK_BACKEND: "x11",
  NO_AT_BRIDGE: "1",
  LIBGL_ALWAYS_SOFTWARE: "1",
});

let tabs = 0;

const start = async (
  display: Display,
  folder: string,
  remote: Remote,
  own: Set<ChildProcess>,
): Promise<Browser> => {
  const name = `control-${++tabs}`;
  const child = spawn(
    program("miniBrowser"),
    ["--javascript-can-open-windows-automatically=true", `${remote.page}#tab=${name}`],
    // A group of its own, so that its web and network processes die with it.
    { env: quietly(display, folder), stdio: "ignore", detached: true },
  );
  own.add(child);
  const control = await remote.tab(name);
  return {
    async open(url) {
      const tab = `${++tabs}`;
      const target = `${url}#tab=${tab}`;
      await control.run((to) => void window.open(to, "_blank", "noopener"), target);
      return remote.tab(tab);
    },
    kill: () => kill(child, own),
  };
};

const kill = async (child: ChildProcess, own: Set<ChildProcess>): Promise<void> => {
  const ended = once(child, "exit");
  process.kill(-(child.pid as number), "SIGKILL");
  await ended;
  own.delete(child);
};

const newProfile = async (): Promise<Profile> => {
  const folder = await mkdtemp(join(tmpdir(), "people-tracking-"));
  const [display, remote] = await Promise.all([openDisplay(), startRemote()]);
  const own = new Set<ChildProcess>();
  return {
    script: remote.script,
    browse: () => start(display, folder, remote, own),
    async remove() {
      await Promise.all([...own].map((child) => kill(child, own)));
      await Promise.all([display.close(), remote.close()]);
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
};

export const miniBrowser: Engine = {
  name: "WebKitGTK",
  missing: programs.miniBrowser && programs.xvfb ? undefined : "webkit2gtk-driver xvfb",
  newProfile,
};
