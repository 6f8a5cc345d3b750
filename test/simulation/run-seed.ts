/**
 * One simulated world, from its seed to its end:
 *
 *   traffic and mishaps ──▶ everything heals ──▶ a few more requests, all end and are delivered ──▶ all processes stop
 *   ──▶ the leases of those that could not stop are over
 *
 * After every event, once all promises that it resolved have been dealt with, the invariants are checked; at the end also
 * that nothing is left over.
 */
import { checkQuiescence } from "./checks/quiescence.ts";
import { Violation } from "./checks/violation.ts";
import { runWorld, type Until } from "../support/seeds/run-world.ts";
import type { SeedResult } from "../support/seeds/simulation.ts";
import { World } from "./world.ts";

/** For processes to find out that they are fenced, and to register anew. */
const REUNION_MS = 5_000;
/** For requests in flight to end, and after it for processes to stop. */
const SETTLING_MS = 200_000;
const STOPPING_MS = 60_000;
/** Any lease, by a clock that has jumped back many times. */
const LEASES_OVER_MS = 60_000;

/** `tell` is given every line of the trace. */
export async function runSeed(seed: number, tell: ((line: string) => void) | null = null): Promise<SeedResult> {
  const world = new World(seed, tell);
  return runWorld(seed, {
    world,
    check: () => world.auditor.check(),
    crashed: (detail) => new Violation("crash", detail),
    async live(until) {
      try {
        await live(world, until);
      } finally {
        world.counts.add("messages lost", world.network.counts.lost);
        world.counts.add("messages repeated", world.network.counts.repeated);
      }
    },
  });
}

async function live(world: World, until: Until): Promise<void> {
  const { fleet, auditor, bank, scenario } = world;
  world.begin();
  await until(scenario.durationMs, () => false);
  world.heal();
  await until(scenario.leaseMs + REUNION_MS, () => false);
  auditor.heal();
  fleet.probe();
  await until(SETTLING_MS, () => fleet.settled && auditor.waiting === 0);
  fleet.stop();
  await until(STOPPING_MS, () => fleet.stopped);
  await until(LEASES_OVER_MS, () => false);
  bank.reap();
  auditor.check();
  checkQuiescence(auditor, bank, (instanceId) => fleet.isLost(instanceId));
}
