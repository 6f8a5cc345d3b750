/**
 * `npm run simulate -- --seeds N [--from S]`: proves that limits hold. Each seed is a world of gateway processes with
 * the real process side of escrow (src/limits) over a bank in memory with the real arithmetic of accounts
 * (src/storage/escrow), on virtual clocks, under traffic, crashes, pauses, lost machines, a network that delays, loses,
 * repeats and reorders, a bank that is away, clocks that jump, and operators who change limits. After every event the
 * invariants in checks/violation.ts must hold. The same seed is the same world.
 *
 *   --seed S [--trace]   one seed; with every event
 *   --mutations          plants bugs in copies of the sources and fails if the invariants do not notice one of them
 *
 * The exit code is 0 if all that was asked for holds.
 */
import { parseArgs } from "node:util";
import { runMutations } from "./mutation/run-mutations.ts";
import { renderFailure, Tally } from "./report.ts";
import { runSeed, type SeedResult } from "./run-seed.ts";
import { runSeeds } from "./run-seeds.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "1000" },
    from: { type: "string", default: "1" },
    seed: { type: "string" },
    trace: { type: "boolean", default: false },
    mutations: { type: "boolean", default: false },
  },
});

process.exitCode = (await run()) ? 0 : 1;

function run(): Promise<boolean> {
  if (values.mutations) return runMutations(say);
  const { seed, from, seeds } = values;
  if (seed !== undefined) return told((tally) => runOne(readCount("seed", seed), tally));
  return told((tally) => runSeeds(readCount("from", from), readCount("seeds", seeds), tally));
}

async function runOne(seed: number, tally: Tally): Promise<SeedResult | null> {
  const result = await runSeed(seed, values.trace ? (line) => say(`${line}\n`) : null);
  tally.add(result);
  return result.failure === null ? null : result;
}

/** Resolves with whether all invariants held. */
async function told(runAll: (tally: Tally) => Promise<SeedResult | null>): Promise<boolean> {
  const tally = new Tally();
  const startedMs = performance.now();
  const failed = await runAll(tally);
  say(tally.render((performance.now() - startedMs) / 1000));
  if (failed === null || failed.failure === null) return true;
  say(renderFailure(failed.seed, failed.failure));
  return false;
}

function readCount(name: string, text: string): number {
  if (!/^\d{1,12}$/.test(text)) throw new Error(`--${name} takes a whole number, not ${JSON.stringify(text)}.`);
  return Number(text);
}

function say(text: string): void {
  process.stdout.write(text);
}
