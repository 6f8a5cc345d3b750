/**
 * Fairness in front of saturated targets: how many calls a provider or model takes at a time, who waits, who is next.
 * The bounds are configured (`providers.<name>.concurrency`, `modelConcurrency`) and hold for one process; with
 * `health.adaptiveConcurrency` they adapt beneath that, and every target has one. Where there may be more requests than
 * connections to a provider, calls wait for these in the same way. One that is not bounded costs a lookup. A call passes before money is held for it, and leaves when its attempt is over:
 *
 *   const pass = queues.find(provider, model)?.enter({ tenantId, weight, priority, cost, waitMs, dueMs }) ?? null;
 *   try {
 *     if (pass !== null && pass.ready !== null) await pass.ready;    // a caller who leaves: pass.cancel(failure)
 *     // look once more whether the caller has left; reserve, open the journal, call
 *   } finally {
 *     pass?.leave(tokensUsed, outcome);
 *   }
 *
 * In front of that a target whose provider limits its rate has a line of its own, `slowed` (slowed/slowed-targets.ts).
 *
 * Invariant: a call that runs is never taken back, and those that wait are bounded in number and time, by tenant.
 */
import type { Config, HealthConfig, QueueConfig } from "../../config/config.ts";
import { OnDemandTargets } from "./on-demand-targets.ts";
import type { Pass, QueueRequest } from "./pass.ts";
import { QueuedTarget, type TargetBound, type TargetStanding } from "./queued-target.ts";
import { createSlowedTargets, type SlowedDeps, type SlowedTargets } from "./slowed/slowed-targets.ts";

export interface TargetQueue {
  /**
   * Returns at once, with a pass that may have to wait. Throws `overloaded` with the time after which to try again if
   * the tenant's queue is full or its turn would not come in time, and `shutting_down` after `drain` if it had to wait.
   */
  enter(request: QueueRequest): Pass;
  /** Whether a call could leave now, without waiting. */
  readonly hasRoom: boolean;
}

export interface QueuesDeps extends SlowedDeps {
  /** To each provider. Default: as many as calls. */
  readonly connectionsMax?: number;
}

export interface QueuesConfig extends Pick<Config, "queue" | "providers"> {
  readonly health: Pick<HealthConfig, "adaptiveConcurrency">;
}

export interface TargetQueues {
  /** `model`: as the provider names it. `null`: as many calls as come. */
  find(provider: string, model: string): TargetQueue | null;
  /** A call that is to leave for one of these waits there before it enters its queue. */
  readonly slowed: SlowedTargets;
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

/** What bounds a provider: its models of their own, and all the others together, or each found out by itself. */
interface BoundedProvider {
  readonly models: ReadonlyMap<string, QueuedTarget>;
  readonly whole: QueuedTarget | null;
  readonly onDemand: OnDemandTargets | null;
}

export function createTargetQueues(deps: QueuesDeps, initial: QueuesConfig): TargetQueues {
  const { connectionsMax = Infinity } = deps;
  let providers = new Map<string, BoundedProvider>();
  const slowed = createSlowedTargets(deps, initial.queue);
  let draining = false;

  function create(name: string, bound: TargetBound, rules: QueueConfig): QueuedTarget {
    const target = new QueuedTarget(name, deps.clock, bound, rules);
    if (draining) target.drain();
    return target;
  }

  function configure({ queue: rules, providers: configured, health }: QueuesConfig): void {
    slowed.configure(rules);
    const adaptive = health.adaptiveConcurrency === "on";
    const left = new Map(targetsOf(providers).map((target) => [target.name, target]));
    const bound = (name: string, concurrency: number): QueuedTarget => {
      const kept = left.get(name);
      if (kept === undefined) return create(name, { concurrency, adaptive }, rules);
      left.delete(name);
      kept.configure({ concurrency, adaptive }, rules);
      return kept;
    };
    const foundOut = (provider: string): OnDemandTargets => {
      const targets = new OnDemandTargets((model) => bound(`${provider}/${model}`, Infinity));
      for (const [model, target] of providers.get(provider)?.onDemand?.entries() ?? []) {
        if (left.has(target.name)) targets.find(model);
      }
      return targets;
    };
    const next = new Map<string, BoundedProvider>();
    for (const [name, { concurrency, modelConcurrency }] of Object.entries(configured)) {
      const bounds = Object.entries(modelConcurrency);
      const most = Math.min(concurrency === 0 ? Infinity : concurrency, connectionsMax);
      if (most === Infinity && bounds.length === 0 && !adaptive) continue;
      const models = new Map(bounds.map(([model, own]) => [model, bound(`${name}/${model}`, own)]));
      const isWhole = concurrency > 0 || (most < Infinity && !adaptive);
      const whole = isWhole ? bound(name, most) : null;
      next.set(name, { models, whole, onDemand: adaptive && whole === null ? foundOut(name) : null });
    }
    for (const target of left.values()) target.configure({ concurrency: Infinity, adaptive: false }, rules);
    left.clear();
    providers = next;
  }

  configure(initial);
  return {
    find(provider, model) {
      const bounded = providers.get(provider);
      if (bounded === undefined) return null;
      return bounded.models.get(model) ?? bounded.whole ?? bounded.onDemand?.find(model) ?? null;
    },
    slowed,
    configure,
    drain() {
      draining = true;
      slowed.drain();
      for (const target of targetsOf(providers)) target.drain();
    },
    standings: () => targetsOf(providers).map((target) => target.standing),
  };
}

function targetsOf(providers: ReadonlyMap<string, BoundedProvider>): readonly QueuedTarget[] {
  return [...providers.values()].flatMap(({ whole, models, onDemand }) => [
    ...(whole === null ? [] : [whole]),
    ...models.values(),
    ...Array.from(onDemand?.entries() ?? [], ([, target]) => target),
  ]);
}

/** The share of a tenant relative to the others', as configured. */
export function tenantWeight(rules: QueueConfig, tenantName: string): number {
  return Object.hasOwn(rules.weights, tenantName) ? (rules.weights[tenantName] ?? 1) : 1;
}
