/** Receives the messages, so that they are copied as for a real tracker. */
const taken: number[] = [];
addEventListener("message", ({ data }: MessageEvent<unknown[]>) => taken.push(data.length));
postMessage("ready");
