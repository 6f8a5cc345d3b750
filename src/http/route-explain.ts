import type { Exchange } from "../exchange/exchange.ts";
import { explainRequest } from "../exchange/plan-request.ts";
import type { Clock } from "../kernel/clock.ts";
import type { SlowedStanding } from "../limits/queue/slowed/slowed-target.ts";
import type { TargetQueues } from "../limits/queue/queue.ts";
import type { TargetHealthStanding, TargetsHealth } from "../routing/health/health.ts";
import type { Principal } from "../tenancy/principal.ts";
import { readAskedRequest } from "./asked-request.ts";

/** What this process knows of the targets that it has called. */
interface ExplainDeps {
  readonly clock: Clock;
  readonly health: TargetsHealth;
  readonly queues: TargetQueues;
}

/**
 * `POST /v1/route/explain`: which targets the request would be tried at and why, without making it. Rejects like
 * `readAskedRequest`, and with `model_not_found` or `model_not_allowed`.
 */
export async function answerRouteExplain(
  { clock, health, queues }: ExplainDeps,
  exchange: Exchange,
  principal: Principal,
): Promise<unknown> {
  const { dialect, view } = await readAskedRequest(exchange);
  const { snapshot, startedAtMs, incoming } = exchange;
  const explanation = explainRequest({ snapshot, dialect, startedAtMs, incoming }, view, principal);
  const standings = health.standings(clock.monotonicMs());
  const targets = explanation.targets.map((target) => ({
    ...target,
    health: healthOf(target.name, standings),
    slowed: slowedOf(target.name, queues),
  }));
  return withWireNames({ object: "route.explanation", ...explanation, targets });
}

/** `null`: it was not called of late. */
function healthOf(name: string, standings: readonly TargetHealthStanding[]): Omit<TargetHealthStanding, "name"> | null {
  const found = standings.find((standing) => standing.name === name);
  if (found === undefined) return null;
  const { name: _, ...health } = found;
  return health;
}

/** `null`: calls leave for it as they come. */
function slowedOf(name: string, queues: TargetQueues): Omit<SlowedStanding, "target"> | null {
  const slash = name.indexOf("/");
  const slowed = queues.slowed.find(name.slice(0, slash), name.slice(slash + 1));
  if (slowed === null) return null;
  const { callsPerSecond, waiting } = slowed.standing;
  return { callsPerSecond, waiting };
}

/** The same with names as the API writes them: `maxOutputTokens` is `max_output_tokens`. */
function withWireNames(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withWireNames);
  if (typeof value !== "object" || value === null) return value;
  const named = Object.entries(value).map(([name, member]) => [wireName(name), withWireNames(member)]);
  return Object.fromEntries(named);
}

function wireName(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
