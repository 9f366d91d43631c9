/**
 * What all processes of one session cost, read from Linux's /proc. A browser that is started detached leads a session of its
 * own, and every process that it starts belongs to it, whoever its parent is.
 */
import { existsSync, readFileSync, readdirSync } from "node:fs";

/** Linux counts CPU time for user space in hundredths of a second, on every machine. */
const TICK_MS = 10;
/** Fields of /proc/<pid>/stat, counted from the one after the command's name, which may itself hold spaces. */
const SESSION = 3;
/** Chromium tries out how fast the machine is some minutes after its start, in a process that stays: 24 MB, whatever is open. */
const OF_THE_BROWSER_ITSELF = "--utility-sub-type=on_device_model";
/** User and system time, its own and that of its children that ended. */
const CPU_TIMES = [11, 12, 13, 14];

/** @returns nothing where the process has ended meanwhile */
const readProcess = (pid: string, file: string): string => {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
};

/** The fields of each process of the session, by its id. */
const processesOf = (session: number): Map<string, string[]> => {
  if (!existsSync("/proc/self/smaps_rollup"))
    throw new Error("The device's costs are read from Linux's /proc, which this system does not have");
  const found = new Map<string, string[]>();
  for (const pid of readdirSync("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    const stat = readProcess(pid, "stat");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (Number(fields[SESSION]) !== session) continue;
    if (readProcess(pid, "cmdline").includes(OF_THE_BROWSER_ITSELF)) continue;
    found.set(pid, fields);
  }
  return found;
};

/** Milliseconds of CPU that they have used so far, those that ended included. */
export const cpuMs = (session: number): number => {
  let ticks = 0;
  for (const fields of processesOf(session).values())
    for (const place of CPU_TIMES) ticks += Number(fields[place]);
  return ticks * TICK_MS;
};

export interface Memory {
  /** The proportional set size: what is shared between processes is divided among them. */
  all: number;
  /** Of that, what is no file: not the browser's own program, whose share depends on who else runs it. */
  own: number;
}

/** Their memory in bytes. */
export const memoryOf = (session: number): Memory => {
  const memory: Memory = { all: 0, own: 0 };
  for (const pid of processesOf(session).keys()) {
    const rollup = readProcess(pid, "smaps_rollup");
    const bytes = (field: string): number =>
      1_024 * Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(rollup)?.[1] ?? 0);
    memory.all += bytes("Pss");
    memory.own += bytes("Pss_Anon") + bytes("Pss_Shmem");
  }
  return memory;
};
