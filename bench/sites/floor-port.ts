/** Connects to a shared worker of a few lines. Resolves with its port after its first message. */
export const openFloorPort = (): Promise<MessagePort> =>
  new Promise((ready) => {
    const { port } = new SharedWorker(new URL("./floor-shared-worker.ts", import.meta.url), {
      type: "module",
    });
    port.addEventListener("message", () => ready(port), { once: true });
    port.start();
  });
