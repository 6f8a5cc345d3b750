/**
 * One simulated world, from its seed to its end:
 *
 *   traffic and mishaps ──▶ everything heals and all requests end ──▶ a request to every model ──▶ the gateway stops
 *
 * After every event, once all promises that it resolved have been dealt with, it is looked whether an invariant was
 * broken; at the end also that the books agree and that nothing is left over.
 */
import type { SeedResult } from "../support/seeds/simulation.ts";
import { describe, Violation } from "./checks/violation.ts";
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
export async function runSeed(seed: number, tell: ((line: string) => void) | null = null): Promise<SeedResult> {
  const world = new World(seed, tell);
  const run = new Run(world);
  const failure = await run.toItsEnd();
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
    const { scenario, auditor } = world;
    const isQuiet = (): boolean => auditor.openRequests === 0 && world.journal.idle;
    world.begin();
    await this.#until(STARTING_MS, () => world.gateway !== null);
    await this.#until(scenario.lastsMs, () => false);
    world.heal();
    await this.#until(SETTLING_MS, isQuiet);
    if (scenario.stop === null) {
      await this.#until(REST_MS, () => false);
      await this.#until(auditor.probe(), () => false);
      await this.#until(SETTLING_MS, isQuiet);
      world.stop(0);
    }
    await this.#until(LINGERING_MS, () => false);
    world.close();
    await this.#until(STOPPING_MS, () => world.stopped);
    auditor.checkEnd();
  }

  /** Lets things happen for so long, or until it is over. */
  async #until(lastsMs: number, isOver: () => boolean): Promise<void> {
    const { agenda } = this.#world;
    const untilMs = agenda.nowMs + lastsMs;
    do {
      await afterPromises();
      this.events++;
      if (this.#world.violation !== null) throw this.#world.violation;
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
