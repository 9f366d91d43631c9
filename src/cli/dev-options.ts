/**
 * The options of `dev`. The tracker's command and that of the package `people-service` read them alike; the first passes
 * them on to the second.
 */
import { resolve } from "node:path";
import { parseArguments } from "./arguments.js";
import { UsageError } from "./command.js";
import { DEV_FOLDER } from "./dev-service.js";

export interface DevOptions {
  /** 0 for a free one. */
  port: number;
  /** Origins of pages beyond those of this machine. */
  origins: readonly string[];
  /** The absolute path of the folder for the database and the keys. */
  dataDir: string;
}

/** What the package `people-service` exports as `people-service/dev`. */
export interface DevModule {
  /** Runs the service until the process is interrupted. */
  dev: (options: DevOptions) => Promise<void>;
}

export const DEV_USAGE = `  --port <port>      where the service listens (default: 4180; 0 for a free port)
  --origin <origin>  an origin whose pages may call it too, such as http://192.168.1.5:5173; may be repeated
                     (pages of localhost may, on any port)
  --data-dir <dir>   the folder for the database and the keys (default: ${DEV_FOLDER})`;

export function readDevOptions(args: readonly string[], cwd: string): DevOptions {
  const { values } = parseArguments(args, {
    port: { type: "string", default: "4180" },
    origin: { type: "string", multiple: true, default: [] },
    "data-dir": { type: "string", default: DEV_FOLDER },
  });
  const { port, origin, "data-dir": dataDir } = values;
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535)
    throw new UsageError(`--port must be a whole number from 0 to 65535, not "${port}"`);
  const wrong = origin.find((each) => !isOrigin(each));
  if (wrong !== undefined)
    throw new UsageError(`--origin must be an origin such as http://192.168.1.5:5173, not "${wrong}"`);
  if (!dataDir) throw new UsageError("--data-dir is empty");
  return { port: Number(port), origins: origin, dataDir: resolve(cwd, dataDir) };
}

/** The same options as arguments of a command. */
export const devArguments = ({ port, origins, dataDir }: DevOptions): string[] => [
  `--port=${port}`,
  ...origins.map((origin) => `--origin=${origin}`),
  `--data-dir=${dataDir}`,
];

/** Browsers send origins in this form alone. */
const isOrigin = (text: string): boolean =>
  /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text;
