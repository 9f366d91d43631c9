/** Takes what comes, so that it is copied as for a real one. */
const taken: number[] = [];
addEventListener("message", ({ data }: MessageEvent<unknown[]>) => taken.push(data.length));
postMessage("ready");
