/** Answers each event, and sends what has come in batches. */
import { sendInBatches } from "./floor-batches.js";

const send = sendInBatches("floor-sent", () => {});
let lastKey = 0;

addEventListener("connect", (connection) => {
  const [port] = (connection as MessageEvent).ports;
  port!.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
    send(data, ++lastKey);
    port!.postMessage("taken");
  });
  port!.start();
  port!.postMessage("ready");
});
