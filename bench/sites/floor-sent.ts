/** The same with nothing stored: what of that floor is not its transactions. */
import { presentAnswered } from "./floor-answered.js";

presentAnswered(
  () => new SharedWorker(new URL("./floor-sent-worker.ts", import.meta.url), { type: "module" }),
);
