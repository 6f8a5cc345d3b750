/**
 * The targets that are slowed down at present, because their providers limit their rates: none, as a rule, and then
 * looking for one is reading a number. Each is one model of a provider, whatever bounds that has, since that is what
 * providers limit. One that is not slowed any more is forgotten when it is looked for, or when there are many.
 */
import type { Clock } from "../../../kernel/clock.ts";
import type { LineRules } from "../waiting-line.ts";
import type { LimitedCall } from "./pace.ts";
import { SlowedTarget, type SlowedStanding } from "./slowed-target.ts";

export interface SlowedTargets {
  /** `model`: as the provider names it. `null`: calls leave as they come. */
  find(provider: string, model: string): SlowedTarget | null;
  /** A call of this target was limited. */
  limited(provider: string, model: string, call: LimitedCall): void;
  /** From now on calls that come wait by these rules. */
  configure(rules: LineRules): void;
  /** Of those that are slowed down, for the operator. */
  standings(): readonly SlowedStanding[];
  /** Refuses with `shutting_down` all calls that wait, and those to come that would have to. */
  drain(): void;
}

/** For the operator. Called on the request path: they must be cheap. */
export interface SlowedEvents {
  /** From now on calls leave for it at a pace. */
  slowedDown(target: string): void;
}

export interface SlowedDeps {
  readonly clock: Clock;
  /** Default: nobody is told. */
  readonly events?: SlowedEvents;
}

const SWEEP_SIZE_MIN = 64;

export function createSlowedTargets({ clock, events }: SlowedDeps, initial: LineRules): SlowedTargets {
  const targets = new Map<string, SlowedTarget>();
  let rules = initial;
  let draining = false;
  let sweepSize = SWEEP_SIZE_MIN;

  function find(provider: string, model: string): SlowedTarget | null {
    if (targets.size === 0) return null;
    const name = `${provider}/${model}`;
    const target = targets.get(name);
    if (target === undefined) return null;
    if (!target.isOver) return target;
    targets.delete(name);
    return null;
  }

  function create(name: string): SlowedTarget {
    if (targets.size >= sweepSize) sweep();
    const target = new SlowedTarget(name, clock, rules);
    if (draining) target.drain();
    targets.set(name, target);
    return target;
  }

  function sweep(): void {
    for (const [name, target] of targets) if (target.isOver) targets.delete(name);
    sweepSize = Math.max(SWEEP_SIZE_MIN, 2 * targets.size);
  }

  return {
    find,
    limited(provider, model, call) {
      const known = find(provider, model);
      const target = known ?? create(`${provider}/${model}`);
      target.limited(call);
      if (known === null && !target.isOver) events?.slowedDown(target.awaited.name);
    },
    configure(next) {
      rules = next;
      for (const target of targets.values()) target.configure(next);
    },
    standings: () => Array.from(targets.values(), (target) => target.standing),
    drain() {
      draining = true;
      for (const target of targets.values()) target.drain();
    },
  };
}
