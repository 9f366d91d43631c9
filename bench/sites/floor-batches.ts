/** The least that sending can cost: what has come meanwhile goes as one compressed request. Nothing is retried. */
import { collector } from "./subject.js";

/** Since the first event that waits: five batches of 200 events 20 ms apart, and one an event where they are 1 s apart. */
const SEND_AFTER_MS = 900;

/** @param whenSent - told the key of the last event that has gone, and so of all before it */
export const sendInBatches = (
  service: string,
  whenSent: (lastKey: number) => unknown,
): ((event: unknown, key: number) => void) => {
  let batch: unknown[] = [];
  let lastKey = 0;

  const send = async (): Promise<void> => {
    const sentKey = lastKey;
    const json = new Blob([JSON.stringify(batch)]);
    batch = [];
    const body = await new Response(json.stream().pipeThrough(new CompressionStream("gzip"))).arrayBuffer();
    await fetch(collector(service), { method: "POST", body });
    whenSent(sentKey);
  };

  return (event, key) => {
    lastKey = key;
    if (batch.push(event) === 1) setTimeout(send, SEND_AFTER_MS);
  };
};
