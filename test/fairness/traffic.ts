/**
 * Simulated traffic on one bounded target: tenants whose calls come at random moments (Poisson) whatever becomes of
 * the earlier ones, and a provider on which a call of cost n takes n milliseconds in its slot. A slot's capacity is
 * therefore one unit of cost a millisecond, and a tenant's load can be stated as a part of the whole target.
 *
 * Each tenant draws from a generator of its own, so that its calls are the same whoever else is there.
 */
import type { QueueConfig } from "../../src/config/config.ts";
import { createTargetQueues, type QueuesConfig, type TargetQueue } from "../../src/limits/queue/queue.ts";
import type { Pass } from "../../src/limits/queue/pass.ts";
import type { Priority } from "../../src/limits/queue/priority.ts";
import { createEventClock, type EventClock } from "./event-clock.ts";

/** Uniform in [0, 1). */
export type Random = () => number;

export interface Tenant {
  readonly id: string;
  /** Whom it queues as; default: itself. */
  readonly queueId?: string;
  readonly weight: number;
  readonly priority: Priority;
  /** What it asks for, as a part of the target: 1 would fill it alone. */
  readonly load: number;
  readonly cost: (random: Random) => number;
  /** What it says that a call will cost; default: the truth. */
  readonly claim?: (cost: number) => number;
}

/** What became of a tenant's calls. */
export interface Outcome {
  /** From its coming to its end, waiting and service, in milliseconds. */
  readonly latencies: number[];
  refused: number;
  /** Cost of the calls that ended. */
  served: number;
}

export interface Traffic {
  readonly slots: number;
  readonly rules: QueueConfig;
  readonly tenants: readonly Tenant[];
  readonly lengthMs: number;
  /** What happens before this is not measured. */
  readonly warmUpMs: number;
  readonly seed: number;
}

export async function simulate(traffic: Traffic): Promise<ReadonlyMap<string, Outcome>> {
  const clock = createEventClock();
  const config = {
    queue: traffic.rules,
    providers: { box: { concurrency: traffic.slots, modelConcurrency: {} } },
    health: { adaptiveConcurrency: "off" },
  } as unknown as QueuesConfig;
  const queue = createTargetQueues({ clock }, config).find("box", "model")!;
  const outcomes = new Map<string, Outcome>();
  for (const [index, tenant] of traffic.tenants.entries()) {
    const outcome = { latencies: [], refused: 0, served: 0 };
    outcomes.set(tenant.id, outcome);
    new Source(clock, queue, traffic, tenant, outcome, createRandom(traffic.seed * 1009 + index)).comeLater();
  }
  await clock.runUntil(traffic.lengthMs);
  return outcomes;
}

/** The value that this part of all values does not exceed. */
export function percentile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.ceil(sorted.length * part) - 1] ?? Number.NaN;
}

/** The mean of many draws, from a generator of its own. */
function meanOf(cost: (random: Random) => number): number {
  const random = createRandom(7);
  let sum = 0;
  for (let drawn = 0; drawn < 20_000; drawn++) sum += cost(random);
  return sum / 20_000;
}

class Source {
  readonly #clock: EventClock;
  readonly #queue: TargetQueue;
  readonly #traffic: Traffic;
  readonly #tenant: Tenant;
  readonly #outcome: Outcome;
  readonly #random: Random;
  readonly #gapMs: number;

  constructor(
    clock: EventClock,
    queue: TargetQueue,
    traffic: Traffic,
    tenant: Tenant,
    outcome: Outcome,
    random: Random,
  ) {
    this.#clock = clock;
    this.#queue = queue;
    this.#traffic = traffic;
    this.#tenant = tenant;
    this.#outcome = outcome;
    this.#random = random;
    this.#gapMs = meanOf(tenant.cost) / (tenant.load * traffic.slots);
  }

  comeLater(): void {
    this.#clock.setTimer(() => this.#come(), -Math.log(1 - this.#random()) * this.#gapMs);
  }

  #come(): void {
    const { id, queueId = id, weight, priority, claim } = this.#tenant;
    const cost = this.#tenant.cost(this.#random);
    this.comeLater();
    const { rules } = this.#traffic;
    const waitMs = priority === "batch" ? rules.batchWaitMs : rules.waitMs;
    const request = { tenantId: queueId, weight, priority, cost: claim?.(cost) ?? cost, waitMs, dueMs: Infinity };
    const cameMs = this.#clock.monotonicMs();
    let pass: Pass;
    try {
      pass = this.#queue.enter(request);
    } catch {
      this.#outcome.refused++;
      return;
    }
    if (pass.ready === null) this.#serve(pass, cost, cameMs);
    else
      pass.ready.then(
        () => this.#serve(pass, cost, cameMs),
        () => void this.#outcome.refused++,
      );
  }

  #serve(pass: Pass, cost: number, cameMs: number): void {
    this.#clock.setTimer(() => {
      pass.leave(cost);
      const nowMs = this.#clock.monotonicMs();
      const { warmUpMs } = this.#traffic;
      if (nowMs >= warmUpMs) this.#outcome.served += cost;
      if (cameMs >= warmUpMs) this.#outcome.latencies.push(nowMs - cameMs);
    }, cost);
  }
}

/** Mulberry32. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
