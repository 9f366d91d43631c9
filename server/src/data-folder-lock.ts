import { createHash } from "node:crypto";
import { realpath, unlink } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * PGlite's data folder bears one process only; a second would ruin it. The lock is a listening socket, because it goes
 * with its process, however that ends: no stale lock after a crash, and no waiting.
 */
export async function lockDataFolder(folder: string): Promise<() => Promise<void>> {
  const name = `people-${createHash("sha256")
    .update(await realpath(folder))
    .digest("hex")
    .slice(0, 24)}`;
  // Not inside the folder: a socket's path has room for about a hundred characters.
  const path = process.platform === "win32" ? `\\\\.\\pipe\\${name}` : join(tmpdir(), `${name}.sock`);
  let server = await listen(path);
  if (!server && !(await isAlive(path))) {
    // Left behind by a process that was killed.
    await unlink(path).catch(() => undefined);
    server = await listen(path);
  }
  if (!server)
    throw new Error(
      `The data folder ${folder} is in use by another process. PGlite allows one at a time: stop that one first, or use PostgreSQL (DATABASE_URL).`,
    );
  const held = server;
  return () => new Promise((resolve) => held.close(() => resolve()));
}

const listen = (path: string): Promise<Server | null> =>
  new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", (error: NodeJS.ErrnoException) =>
      error.code === "EADDRINUSE" ? resolve(null) : reject(error),
    );
    server.listen(path, () => resolve(server.unref()));
  });

const isAlive = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("close", () => socket.destroy());
  });
