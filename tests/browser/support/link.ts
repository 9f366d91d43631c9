/**
 * The link between a browser and the site, really cut: the browser lives in a network namespace of its own, at the far
 * end of a virtual cable. That takes root and iproute2; elsewhere the service is stopped instead.
 */
import { execFileSync } from "node:child_process";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromiumPath } from "../../chromium.js";
import type { Site } from "./site.js";
import type { BrowserOptions } from "./visit.js";

/** How the link goes: `noticed` by the browser, as a cable that is pulled; or nothing arrives any more, and nobody says so. */
export type Cut = "noticed" | "unnoticed";

export interface Link {
  readonly isReal: boolean;
  /** Where the site is to listen. */
  readonly address: string;
  /** For the browser at the link's far end. */
  browserOf(site: Site): BrowserOptions;
  cut(site: Site, how: Cut): void;
  heal(site: Site): void;
  remove(): Promise<void>;
}

const ip = (command: string): void =>
  void execFileSync("ip", command.split(" "), { stdio: ["ignore", "ignore", "pipe"] });

const quietly = (command: string): void => {
  try {
    ip(command);
  } catch {
    // It was not there.
  }
};

const stoppedService: Link = {
  isReal: false,
  address: "127.0.0.1",
  browserOf: () => ({}),
  cut: (site) => site.setReachable(false),
  heal: (site) => site.setReachable(true),
  remove: async () => {},
};

/** How many of them this process has opened, up to 64: each has a name and four addresses of its own. */
let opened = 0;

export const openLink = async (): Promise<Link> => {
  const { pid } = process;
  const index = opened++;
  const id = `${pid}-${index}`;
  const name = `people-tracking-${id}`;
  const [near, far] = [`ptn${id}`, `ptf${id}`];
  const network = `10.${100 + ((pid >> 8) % 100)}.${pid % 256}`;
  const [address, farAddress] = [`${network}.${4 * index + 1}`, `${network}.${4 * index + 2}`];
  const undo = (): void => {
    quietly(`netns delete ${name}`);
    quietly(`link delete ${near}`);
  };
  try {
    ip(`netns add ${name}`);
    ip(`link add ${near} type veth peer name ${far} netns ${name}`);
    ip(`address add ${address}/30 dev ${near}`);
    ip(`link set ${near} up`);
    ip(`-n ${name} link set lo up`);
    ip(`-n ${name} address add ${farAddress}/30 dev ${far}`);
    ip(`-n ${name} link set ${far} up`);
    ip(`-n ${name} route add default via ${address}`);
  } catch (error) {
    undo();
    console.warn(`No link to cut here, the service is stopped instead: ${String(error).trim()}`);
    return stoppedService;
  }
  process.on("exit", undo);

  const folder = await mkdtemp(join(tmpdir(), "people-tracking-link-"));
  const inside = join(folder, "chromium");
  await writeFile(inside, `#!/bin/sh\nexec ip netns exec ${name} ${chromiumPath()} "$@"\n`);
  await chmod(inside, 0o755);
  return {
    isReal: true,
    address,
    browserOf: ({ origin }) => ({
      executablePath: inside,
      args: [`--unsafely-treat-insecure-origin-as-secure=${origin}`],
    }),
    cut: (_site, how) =>
      // What comes from the browser still arrives, and all that goes to it is lost.
      ip(how === "noticed" ? `link set ${near} down` : `route add blackhole ${farAddress}/32`),
    heal() {
      quietly(`route delete blackhole ${farAddress}/32`);
      ip(`link set ${near} up`);
    },
    async remove() {
      undo();
      process.off("exit", undo);
      await rm(folder, { recursive: true, force: true });
    },
  };
};
