/** A thread that runs the seeds it is sent, one after the other, and sends back a `SeedResult` for each. */
import { parentPort } from "node:worker_threads";
import { runSeed } from "./run-seed.ts";

parentPort?.on("message", (seed: number) => {
  void runSeed(seed).then((result) => parentPort?.postMessage(result));
});
