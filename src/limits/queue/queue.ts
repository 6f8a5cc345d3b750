/**
 * Fairness in front of saturated targets: how many calls a provider or model takes at a time, who waits, who is next.
 * The bounds are configured (`providers.<name>.concurrency`, `modelConcurrency`) and hold for one process; a target that
 * is not bounded costs a lookup. A call passes before money is held for it, and leaves when its attempt is over:
 *
 *   const pass = queues.find(provider, model)?.enter({ tenantId, weight, priority, cost, dueMs }) ?? null;
 *   try {
 *     if (pass !== null && pass.ready !== null) await pass.ready;    // a caller who leaves: pass.cancel(failure)
 *     // look once more whether the caller has left; reserve, open the journal, call
 *   } finally {
 *     pass?.leave(tokensUsed);
 *   }
 *
 * Invariant: a call that runs is never taken back, and those that wait are bounded in number and time, by tenant.
 */
import type { Config, QueueConfig } from "../../config/config.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Pass, QueueRequest } from "./pass.ts";
import { QueuedTarget, type TargetStanding } from "./queued-target.ts";

export interface TargetQueue {
  /**
   * Returns at once, with a pass that may have to wait. Throws `overloaded` with the time after which to try again if
   * the tenant's queue is full or its turn would not come in time, and `shutting_down` after `drain` if it had to wait.
   */
  enter(request: QueueRequest): Pass;
}

export type QueuesConfig = Pick<Config, "queue" | "providers">;

export interface TargetQueues {
  /** `model`: as the provider names it. `null`: as many calls as come. */
  find(provider: string, model: string): TargetQueue | null;
  /**
   * From now on these bounds. Calls that wait are let go where there is room now; where a bound is new, calls already
   * running are not counted.
   */
  configure(config: QueuesConfig): void;
  /** Refuses with `shutting_down` all calls that wait, and those to come that would have to. */
  drain(): void;
  /** Of every bounded target, for the operator. */
  standings(): readonly TargetStanding[];
}

/** What bounds a provider: its models of their own, and all the others together. */
interface BoundedProvider {
  readonly whole: QueuedTarget | null;
  readonly models: ReadonlyMap<string, QueuedTarget>;
}

export function createTargetQueues(deps: { readonly clock: Clock }, initial: QueuesConfig): TargetQueues {
  let byName = new Map<string, QueuedTarget>();
  let providers = new Map<string, BoundedProvider>();
  let draining = false;

  function keep(name: string, concurrency: number, rules: QueueConfig): QueuedTarget {
    const kept = byName.get(name);
    if (kept !== undefined) {
      kept.configure(concurrency, rules);
      return kept;
    }
    const target = new QueuedTarget(name, deps.clock, concurrency, rules);
    if (draining) target.drain();
    return target;
  }

  function configure({ queue: rules, providers: configured }: QueuesConfig): void {
    const next = new Map<string, QueuedTarget>();
    const nextProviders = new Map<string, BoundedProvider>();
    const bound = (name: string, concurrency: number): QueuedTarget => {
      const target = keep(name, concurrency, rules);
      next.set(name, target);
      return target;
    };
    for (const [name, { concurrency, modelConcurrency }] of Object.entries(configured)) {
      const models = Object.entries(modelConcurrency);
      if (concurrency === 0 && models.length === 0) continue;
      nextProviders.set(name, {
        whole: concurrency === 0 ? null : bound(name, concurrency),
        models: new Map(models.map(([model, most]) => [model, bound(`${name}/${model}`, most)])),
      });
    }
    for (const [name, target] of byName) if (!next.has(name)) target.configure(Infinity, rules);
    byName = next;
    providers = nextProviders;
  }

  configure(initial);
  return {
    find(provider, model) {
      const bounded = providers.get(provider);
      if (bounded === undefined) return null;
      return bounded.models.get(model) ?? bounded.whole;
    },
    configure,
    drain() {
      draining = true;
      for (const target of byName.values()) target.drain();
    },
    standings: () => [...byName.values()].map((target) => target.standing),
  };
}

/** The share of a tenant relative to the others', as configured. */
export function tenantWeight(rules: QueueConfig, tenantName: string): number {
  return Object.hasOwn(rules.weights, tenantName) ? (rules.weights[tenantName] ?? 1) : 1;
}
