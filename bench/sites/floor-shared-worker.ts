/** Takes what comes, so that it is copied as for a real one. */
const lengths: number[] = [];
addEventListener("connect", (event) => {
  const [port] = (event as MessageEvent).ports;
  port!.addEventListener("message", ({ data }: MessageEvent<unknown[]>) => lengths.push(data.length));
  port!.start();
  port!.postMessage("ready");
});
