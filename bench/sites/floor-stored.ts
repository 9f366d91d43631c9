/** The least that a tracker can cost which has each event on disk by itself: a message to a shared worker, and one back. */
import { presentAnswered } from "./floor-answered.js";

presentAnswered(
  () => new SharedWorker(new URL("./floor-stored-worker.ts", import.meta.url), { type: "module" }),
);
