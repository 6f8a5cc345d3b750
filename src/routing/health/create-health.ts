/**
 * The health of all targets and credentials of a process. Targets are named by callers, so those that nobody asked for in
 * a long while are forgotten: names that were asked for lately are in `recent`; when that is full it becomes `older`, and
 * what was `older` is dropped. A name that is asked for moves to `recent`, so one in use is never dropped.
 */
import type { CredentialsHealth, HealthEvents, HealthRules, TargetHealth, TargetsHealth } from "./health.ts";
import { CredentialTurns } from "./credential-turns.ts";
import { TrackedTarget } from "./tracked-target.ts";

/** At the most twice as many are kept. */
const RECENT_MAX = 2048;

const unheard: HealthEvents = { leftAlone: () => {}, calledAgain: () => {} };

export interface HealthDeps {
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly events?: HealthEvents;
}

export function createTargetsHealth({ random, events = unheard }: HealthDeps, initial: HealthRules): TargetsHealth {
  let rules = initial.health;
  let recent = new Map<string, TrackedTarget>();
  let older = new Map<string, TrackedTarget>();
  const credentials = new Map<string, CredentialTurns>();

  function renew(name: string): TrackedTarget {
    const target = older.get(name) ?? new TrackedTarget(name, rules, { random, events });
    if (recent.size >= RECENT_MAX) {
      older = recent;
      recent = new Map();
    } else {
      older.delete(name);
    }
    recent.set(name, target);
    return target;
  }

  function kept(): readonly TrackedTarget[] {
    return [...recent.values(), ...older.values()];
  }

  return {
    target: (name): TargetHealth => recent.get(name) ?? renew(name),
    credentials(provider): CredentialsHealth {
      const known = credentials.get(provider);
      if (known !== undefined) return known;
      const turns = new CredentialTurns();
      credentials.set(provider, turns);
      return turns;
    },
    configure({ health }) {
      rules = health;
      for (const target of kept()) target.configure(health);
      // A key may have been mended.
      for (const turns of credentials.values()) turns.forget();
    },
    standings(nowMs) {
      const called = kept().filter(({ wasCalled }) => wasCalled);
      return called.map((target) => target.standing(nowMs)).toSorted((one, other) => (one.name < other.name ? -1 : 1));
    },
  };
}
