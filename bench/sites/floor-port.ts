/** The way to a shared worker of a few lines, once it has said its first word. */
export const openFloorPort = (): Promise<MessagePort> =>
  new Promise((ready) => {
    const { port } = new SharedWorker(new URL("./floor-shared-worker.ts", import.meta.url), {
      type: "module",
    });
    port.addEventListener("message", () => ready(port), { once: true });
    port.start();
  });
