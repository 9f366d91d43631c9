/** A thread that simulates the seeds it is given, one after another. */
import { parentPort } from "node:worker_threads";
import { simulate } from "./simulate.js";

parentPort?.on("message", (seed: number) => {
  void simulate(seed).then((report) => parentPort?.postMessage(report));
});
