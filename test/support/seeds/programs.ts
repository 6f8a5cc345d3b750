/** The two programs that run seeds: a thread of many, and a process of its own. */
import { parentPort } from "node:worker_threads";
import type { Simulation } from "./simulation.ts";

/** In a thread: runs the seeds it is sent, one after the other, and sends back a `SeedResult` for each. */
export function serveSeeds({ runSeed }: Pick<Simulation, "runSeed">): void {
  parentPort?.on("message", (seed: number) => {
    void runSeed(seed, null).then((result) => parentPort?.postMessage(result));
  });
}

/**
 * In a process: runs as many seeds as its argument says from 1 on, until an invariant is broken. Says each seed it begins,
 * and in the end what it found.
 */
export async function seekFailure({ runSeed }: Pick<Simulation, "runSeed">): Promise<void> {
  const seeds = Number(process.argv[2]);
  for (let seed = 1; seed <= seeds; seed++) {
    process.stdout.write(`seed ${seed}\n`);
    const { failure } = await runSeed(seed, null);
    if (failure === null) continue;
    process.stdout.write(`noticed ${failure.invariant}\n`);
    break;
  }
}
