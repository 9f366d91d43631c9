/** Receives the messages, so that they are copied as for a real tracker. */
const lengths: number[] = [];
addEventListener("connect", (event) => {
  const [port] = (event as MessageEvent).ports;
  port!.addEventListener("message", ({ data }: MessageEvent<unknown[]>) => lengths.push(data.length));
  port!.start();
  port!.postMessage("ready");
});
