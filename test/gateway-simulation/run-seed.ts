/**
 * One simulated world, from its seed to its end:
 *
 *   traffic and mishaps ──▶ everything heals and all requests end ──▶ a request to every model ──▶ the gateways stop
 *
 * After every event, once all promises that it resolved have been dealt with, it is looked whether an invariant was
 * broken; at the end also that the books agree and that nothing is left over.
 */
import { runWorld, type Until } from "../support/seeds/run-world.ts";
import type { SeedResult } from "../support/seeds/simulation.ts";
import { Violation } from "./checks/violation.ts";
import { World } from "./world.ts";

const STARTING_MS = 10_000;
/** For requests in flight to end: longer than any total time and refusal of the store. */
const SETTLING_MS = 300_000;
/** For a target that is left alone to be probed again. */
const REST_MS = 60_000;
const STOPPING_MS = 60_000;
/** Connections of answers that are complete get a moment to close. */
const LINGERING_MS = 10_000;

/** `tell` is given every line of the trace. */
export function runSeed(seed: number, tell: ((line: string) => void) | null = null): Promise<SeedResult> {
  const world = new World(seed, tell);
  return runWorld(seed, {
    world,
    check: () => {},
    crashed: (detail) => new Violation("crash", detail),
    live: (until) => live(world, until),
  });
}

async function live(world: World, until: Until): Promise<void> {
  const { scenario, auditor } = world;
  const isQuiet = (): boolean => auditor.openRequests === 0 && world.isUp && world.isIdle;
  world.begin();
  await until(STARTING_MS, () => world.isUp);
  await until(scenario.lastsMs, () => false);
  world.heal();
  await until(SETTLING_MS, isQuiet);
  if (scenario.stop === null) {
    await until(REST_MS, () => false);
    await until(auditor.probe(), () => false);
    await until(SETTLING_MS, isQuiet);
    world.stop(0);
  }
  await until(LINGERING_MS, () => false);
  world.close();
  await until(STOPPING_MS, () => world.isStopped);
  auditor.checkEnd();
}
