/**
 * "One tenant at ten times its share moves another's p95 by less than a tenth", measured on the real queues.
 *
 * A share is a tenant's part of the target's capacity by weight. The quiet tenant asks for 70 % of its share on average,
 * by calls that come at random; the loud one asks for ten times its share. Measured is the quiet tenant's latency from
 * its call's coming to its end, waiting and service: what its callers see. Its calls come at the same moments with the
 * same costs in both runs, and the comparison is with the strictest there is: the whole target to itself.
 *
 * Not at 100 % of its share, because there a queue of random calls grows without bound even with the share to itself,
 * so that there is no p95 to move. And the closer to it, the more often a burst asks for more than the share for a
 * while, which the whole target would have taken and which nobody is owed.
 *
 * The target has 32 slots. A call that runs is never interrupted, so a newcomer waits for the next slot to become
 * free, on average the mean service divided by the slots, however fair the order is. On a target of a few slots that
 * alone is more than a tenth: no queue in front of a provider can do better.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { QueueConfig } from "../../src/config/config.ts";
import { queueOptions } from "../../src/config/options/queue.ts";
import type { Priority } from "../../src/limits/queue/priority.ts";
import { percentile, simulate, type Outcome, type Random, type Tenant } from "./traffic.ts";

const slots = 32;
const seeds = [1, 2, 3];
const lengthMs = 150_000;
const warmUpMs = 20_000;

const defaults: QueueConfig = {
  lengthMax: Number(queueOptions.lengthMax.default),
  waitMs: Number(queueOptions.waitMs.default),
  batchWaitMs: Number(queueOptions.batchWaitMs.default),
  batchPercent: Number(queueOptions.batchPercent.default),
  weights: {},
};

const mixes: Readonly<Record<string, (random: Random) => number>> = {
  "much alike (0.75 to 1.25 s)": (random) => 750 + 500 * random(),
  "exponential (1 s on average)": (random) => Math.max(1, -Math.log(1 - random()) * 1000),
  "four chats (0.2 to 1 s) for each agent (2 to 10 s)": (random) =>
    random() < 0.8 ? 200 + 800 * random() : 2000 + 8000 * random(),
};

type Party = Omit<Tenant, "id" | "load">;

interface Parties {
  readonly quiet: Party;
  readonly loud: Party;
}

interface Outcomes {
  readonly quiet: Outcome;
  readonly loud: Outcome;
}

/** `timesShare`: what the loud one asks for; 0: it is not there. */
async function run({ quiet, loud }: Parties, timesShare: number, quietTimesShare = 0.7): Promise<Outcomes> {
  const weights = quiet.weight + loud.weight;
  const tenants = [{ ...quiet, id: "quiet", load: (quietTimesShare * quiet.weight) / weights }];
  if (timesShare > 0) tenants.push({ ...loud, id: "loud", load: (timesShare * loud.weight) / weights });
  const all = { quiet: emptyOutcome(), loud: emptyOutcome() };
  for (const seed of seeds) {
    const outcomes = await simulate({ slots, rules: defaults, tenants, lengthMs, warmUpMs, seed });
    for (const name of ["quiet", "loud"] as const) {
      const outcome = outcomes.get(name) ?? emptyOutcome();
      all[name].latencies.push(...outcome.latencies);
      all[name].refused += outcome.refused;
      all[name].served += outcome.served;
    }
  }
  return all;
}

function emptyOutcome(): Outcome {
  return { latencies: [], refused: 0, served: 0 };
}

/** How far the loud tenant moves the quiet one's p95, as a part of it, and who was refused. */
async function measure(parties: Parties): Promise<{ moved: number; quietRefused: number; loudRefused: number }> {
  const alone = percentile((await run(parties, 0)).quiet.latencies, 0.95);
  const { quiet, loud } = await run(parties, 10);
  const together = percentile(quiet.latencies, 0.95);
  return { moved: together / alone - 1, quietRefused: quiet.refused, loudRefused: loud.refused };
}

async function assertUnmoved(parties: Parties): Promise<void> {
  const { moved, quietRefused, loudRefused } = await measure(parties);
  assert.ok(moved < 0.1, `the quiet tenant's p95 moved by ${(100 * moved).toFixed(1)} %`);
  assert.equal(quietRefused, 0);
  assert.ok(loudRefused > 0, "the loud tenant was never refused, so it was not loud");
}

for (const [mix, cost] of Object.entries(mixes)) {
  const party = (priority: Priority, weight = 1) => ({ weight, priority, cost });

  describe(`a tenant at ten times its share, costs ${mix}, moves another's p95 by less than a tenth`, () => {
    test("where both are interactive", () =>
      assertUnmoved({ quiet: party("interactive"), loud: party("interactive") }));

    test("where both are batch", () => assertUnmoved({ quiet: party("batch"), loud: party("batch") }));

    test("where the loud one is batch and the quiet one interactive", () =>
      assertUnmoved({ quiet: party("interactive"), loud: party("batch") }));

    test("where the loud one weighs three times as much", () =>
      assertUnmoved({ quiet: party("interactive"), loud: party("interactive", 3) }));

    test("where nobody's estimate says more than the average", () =>
      assertUnmoved({
        quiet: { ...party("interactive"), claim: () => 1000 },
        loud: { ...party("interactive"), claim: () => 1000 },
      }));
  });
}

describe("the measurement", () => {
  const cost = mixes["exponential (1 s on average)"]!;
  const party = { weight: 1, priority: "interactive", cost } as const;

  test("sees what happens without fairness: one queue for all doubles the quiet tenant's p95 and refuses its calls", async () => {
    const shared = { ...party, queueId: "all" };
    const { moved, quietRefused } = await measure({ quiet: shared, loud: shared });
    assert.ok(moved > 0.5 && quietRefused > 0, `moved by ${(100 * moved).toFixed(1)} %, ${quietRefused} refused`);
  });

  test("leaves no capacity unused, and gives it out by weight where both ask for more than there is", async () => {
    const { quiet, loud } = await run({ quiet: party, loud: { ...party, weight: 3 } }, 10, 10);
    const capacity = slots * (lengthMs - warmUpMs) * seeds.length;
    const part = (outcome: Outcome) => outcome.served / capacity;
    assert.ok(Math.abs(part(quiet) - 0.25) < 0.02, `a weight of 1 got ${part(quiet)}`);
    assert.ok(Math.abs(part(loud) - 0.75) < 0.02, `a weight of 3 got ${part(loud)}`);
  });

  test("gives batch calls their percentage under a flood of interactive ones, and no more", async () => {
    const batch = { ...party, priority: "batch" } as const;
    const { quiet, loud } = await run({ quiet: batch, loud: party }, 10, 10);
    const part = quiet.served / (quiet.served + loud.served);
    assert.ok(Math.abs(part - defaults.batchPercent / 100) < 0.02, `batch got ${part}`);
  });
});
