/**
 * Lives one simulated world: event after event, each once all promises that the one before resolved have been dealt with.
 * The world ends at its first broken invariant; what it throws, or rejects and nobody handles, is one, too.
 */
import type { Agenda } from "../../simulation/world/agenda.ts";
import type { Trace } from "../../simulation/world/trace.ts";
import type { Counts } from "./counts.ts";
import type { SeedResult } from "./simulation.ts";
import { BrokenInvariant, describeThrown } from "./violation.ts";

export interface SeededWorld<Violation> {
  readonly agenda: Agenda;
  readonly trace: Trace;
  readonly counts: Counts;
  /** The first. */
  readonly violation: Violation | null;
  violate(violation: Violation): void;
}

/** Lets things happen for so many virtual milliseconds, or until it is over. */
export type Until = (lastsMs: number, isOver: () => boolean) => Promise<void>;

export interface Life<Violation> {
  readonly world: SeededWorld<Violation>;
  /** From the world's beginning to its end. */
  live(until: Until): Promise<void>;
  /** After each event. Throws what is broken. */
  check(): void;
  crashed(detail: string): Violation;
}

export async function runWorld<Violation extends BrokenInvariant<string>>(
  seed: number,
  life: Life<Violation>,
): Promise<SeedResult> {
  const { world } = life;
  let events = 0;
  const until: Until = async (lastsMs, isOver) => {
    const untilMs = world.agenda.nowMs + lastsMs;
    do {
      await afterPromises();
      events++;
      if (world.violation !== null) throw world.violation;
      life.check();
    } while (!isOver() && world.agenda.step(untilMs));
  };
  const failure = await toItsEnd(life, until);
  return {
    seed,
    counts: world.counts.entries(),
    events,
    digest: world.trace.digest(),
    failure: failure && { invariant: failure.invariant, detail: failure.message, recent: world.trace.recent() },
  };
}

async function toItsEnd<Violation extends BrokenInvariant<string>>(
  life: Life<Violation>,
  until: Until,
): Promise<Violation | null> {
  const { world } = life;
  const toViolation = (thrown: unknown): Violation =>
    thrown instanceof BrokenInvariant ? (thrown as Violation) : life.crashed(describeThrown(thrown));
  const onRejection = (reason: unknown): void => world.violate(toViolation(reason));
  process.on("unhandledRejection", onRejection);
  try {
    await life.live(until);
    await afterRejections();
    return world.violation;
  } catch (thrown) {
    return toViolation(thrown);
  } finally {
    process.off("unhandledRejection", onRejection);
  }
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
