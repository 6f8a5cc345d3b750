/**
 * The command line that simulations share:
 *
 *   --seeds N [--from S]   so many worlds, on all cores
 *   --seed S [--trace]     one of them; with every event
 *   --mutations            plants bugs in copies of the sources and fails if the invariants do not notice one of them
 */
import { parseArgs } from "node:util";
import { runMutations } from "./run-mutations.ts";
import { runSeeds } from "./run-seeds.ts";
import type { SeedResult, Simulation } from "./simulation.ts";
import { renderFailure, Tally } from "./tally.ts";
import type { Mutation } from "./workshop.ts";

/** Resolves with whether all that was asked for holds; the exit code is to say the same. */
export async function simulate(simulation: Simulation, mutations: readonly Mutation[]): Promise<boolean> {
  const { values } = parseArgs({
    options: {
      seeds: { type: "string", default: "1000" },
      from: { type: "string", default: "1" },
      seed: { type: "string" },
      trace: { type: "boolean", default: false },
      mutations: { type: "boolean", default: false },
    },
  });
  if (values.mutations) return runMutations(simulation, mutations, say);
  const tally = new Tally();
  const startedMs = performance.now();
  const failed =
    values.seed === undefined
      ? await runSeeds(
          simulation.programs.worker,
          readCount("from", values.from),
          readCount("seeds", values.seeds),
          tally,
        )
      : await runOne(simulation, readCount("seed", values.seed), values.trace, tally);
  say(tally.render((performance.now() - startedMs) / 1000));
  if (failed !== null) say(renderFailure(simulation, failed));
  return failed === null;
}

async function runOne(simulation: Simulation, seed: number, traces: boolean, tally: Tally): Promise<SeedResult | null> {
  const result = await simulation.runSeed(seed, traces ? (line) => say(`${line}\n`) : null);
  tally.add(result);
  return result.failure === null ? null : result;
}

function readCount(name: string, text: string): number {
  if (!/^\d{1,12}$/.test(text)) throw new Error(`--${name} takes a whole number, not ${JSON.stringify(text)}.`);
  return Number(text);
}

function say(text: string): void {
  process.stdout.write(text);
}
