/**
 * Runs many seeds on all cores, until one fails. Which one is told does not depend on the cores: seeds are begun in order,
 * and of those that fail the lowest counts.
 */
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { SeedResult } from "./simulation.ts";
import type { Tally } from "./tally.ts";

/** `program`: what each thread runs. Resolves with the failure, or with `null` if all hold. `tally` is told of every seed. */
export async function runSeeds(program: URL, from: number, count: number, tally: Tally): Promise<SeedResult | null> {
  let next = from;
  const failed: SeedResult[] = [];
  const work = async (): Promise<void> => {
    const worker = new Worker(program);
    const exited = once(worker, "exit");
    try {
      while (next < from + count && failed.length === 0) {
        worker.postMessage(next++);
        const result = await Promise.race([answerOf(worker), exited.then(failToAnswer)]);
        tally.add(result);
        if (result.failure !== null) failed.push(result);
      }
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: Math.min(count, availableParallelism()) }, work));
  return failed.toSorted((one, other) => one.seed - other.seed)[0] ?? null;
}

async function answerOf(worker: Worker): Promise<SeedResult> {
  const [result] = (await once(worker, "message")) as [SeedResult];
  return result;
}

function failToAnswer(): never {
  throw new Error("A thread of the simulation has ended on its own.");
}
