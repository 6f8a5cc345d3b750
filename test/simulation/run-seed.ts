/**
 * One simulated world, from its seed to its end:
 *
 *   traffic and mishaps ──▶ everything heals ──▶ a few more requests, all end and are delivered ──▶ all processes stop
 *   ──▶ the leases of those that could not stop are over
 *
 * After every event, once all promises that it resolved have been dealt with, the invariants are checked; at the end also
 * that nothing is left over.
 */
import { describe } from "./checks/auditor.ts";
import { checkQuiescence } from "./checks/quiescence.ts";
import { Violation } from "./checks/violation.ts";
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
  const run = new Run(world);
  const failure = await run.toItsEnd();
  world.counts.add("messages lost", world.network.counts.lost);
  world.counts.add("messages repeated", world.network.counts.repeated);
  return {
    seed,
    counts: world.counts.entries(),
    events: run.events,
    digest: world.trace.digest(),
    failure: failure && { invariant: failure.invariant, detail: failure.message, recent: world.trace.recent() },
  };
}

class Run {
  events = 0;
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  async toItsEnd(): Promise<Violation | null> {
    const world = this.#world;
    const onRejection = (reason: unknown): void => world.violate(toViolation(reason));
    process.on("unhandledRejection", onRejection);
    try {
      await this.#live();
      await afterRejections();
      return world.violation;
    } catch (thrown) {
      return toViolation(thrown);
    } finally {
      process.off("unhandledRejection", onRejection);
    }
  }

  async #live(): Promise<void> {
    const world = this.#world;
    const { fleet, auditor, bank } = world;
    world.begin();
    await this.#until(world.scenario.durationMs, () => false);
    world.heal();
    await this.#until(world.scenario.leaseMs + REUNION_MS, () => false);
    auditor.heal();
    fleet.probe();
    await this.#until(SETTLING_MS, () => fleet.settled && auditor.waiting === 0);
    fleet.stop();
    await this.#until(STOPPING_MS, () => fleet.stopped);
    await this.#until(LEASES_OVER_MS, () => false);
    bank.reap();
    auditor.check();
    checkQuiescence(auditor, bank, (instanceId) => fleet.isLost(instanceId));
  }

  /** Lets things happen for so long, or until it is over. */
  async #until(lastsMs: number, isOver: () => boolean): Promise<void> {
    const { agenda, auditor } = this.#world;
    const untilMs = agenda.nowMs + lastsMs;
    do {
      await afterPromises();
      this.events++;
      if (this.#world.violation !== null) throw this.#world.violation;
      auditor.check();
    } while (!isOver() && agenda.step(untilMs));
  }
}

function toViolation(thrown: unknown): Violation {
  return thrown instanceof Violation ? thrown : new Violation("crash", describe(thrown));
}

/** Resolves when no promise is left that could go on. */
function afterPromises(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  process.nextTick(resolve);
  return promise;
}

/** Resolves when rejections that nobody handled have been reported. */
function afterRejections(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  setImmediate(resolve);
  return promise;
}
