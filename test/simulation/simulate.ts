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
import { runSeed } from "./run-seed.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "1000" },
    from: { type: "string", default: "1" },
    seed: { type: "string" },
    trace: { type: "boolean", default: false },
    mutations: { type: "boolean", default: false },
  },
});

const holds = values.mutations
  ? await runMutations(say)
  : values.seed === undefined
    ? await runSeeds(readCount("from", values.from), readCount("seeds", values.seeds), null)
    : await runSeeds(readCount("seed", values.seed), 1, values.trace ? (line) => say(`${line}\n`) : null);
process.exitCode = holds ? 0 : 1;

/** Until the first that fails. */
async function runSeeds(from: number, count: number, tell: ((line: string) => void) | null): Promise<boolean> {
  const tally = new Tally();
  const startedMs = performance.now();
  const told = (): void => say(tally.render((performance.now() - startedMs) / 1000));
  for (let seed = from; seed < from + count; seed++) {
    const result = await runSeed(seed, tell);
    tally.add(result);
    if (result.failure !== null) {
      told();
      say(renderFailure(seed, result.failure));
      return false;
    }
  }
  told();
  return true;
}

function readCount(name: string, text: string): number {
  if (!/^\d{1,12}$/.test(text)) throw new Error(`--${name} takes a whole number, not ${JSON.stringify(text)}.`);
  return Number(text);
}

function say(text: string): void {
  process.stdout.write(text);
}
