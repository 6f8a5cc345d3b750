/**
 * Which of a lot's own members a request is tried at first.
 *
 * `weighted`      drawn at random, by weight
 * `least-loaded`  the one with the least load for its weight; those that are equal are drawn by weight
 * `sticky`        by rendezvous hashing of the prompt's beginning, salted with the tenant; where a request has nothing to
 *                 tell by, by weight
 */
import type { ModelConfig } from "../config/config.ts";
import type { Lot } from "./lot.ts";
import type { PlanRequest, Target } from "./plan.ts";
import { drawOf, hashBytes } from "./rendezvous.ts";

export type Balance = ModelConfig["balance"];

export interface BalanceDeps {
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Of a target, by its name: 0 for nothing, the smaller the better. */
  readonly load: (name: string) => number;
}

/** Best first; empty only for an empty lot. */
export function orderTargets(lot: Lot, balance: Balance, request: PlanRequest, deps: BalanceDeps): readonly Target[] {
  if (lot.orders.length > 1) {
    if (balance === "sticky") {
      const key = stickyKey(request);
      if (key !== null) return orderByKey(lot, key);
    }
    const index = balance === "least-loaded" ? leastLoaded(lot, deps) : draw(lot, deps.random);
    return lot.orders[index] ?? [];
  }
  return lot.orders[0] ?? [];
}

/** `null`: the request has nothing to tell by, or nobody asks for it. */
export function stickyKey({ dialect, view, tenantId }: PlanRequest): number | null {
  const start = tenantId === null ? null : (dialect.inbound?.promptStart?.(view) ?? null);
  return start === null ? null : hashBytes(start, hashBytes(Buffer.from(tenantId ?? ""), 0));
}

function draw({ bounds, totalWeight }: Lot, random: () => number): number {
  const drawn = random() * totalWeight;
  let index = 0;
  while (drawn >= (bounds[index] ?? Infinity)) index++;
  return index;
}

function leastLoaded({ own }: Lot, { load, random }: BalanceDeps): number {
  let least = Infinity;
  let chosen = 0;
  let equalWeight = 0;
  for (let index = 0; index < own.length; index++) {
    const member = own[index];
    if (member === undefined) continue;
    const { weight } = member.candidate;
    const score = load(member.target.name) / weight;
    if (score > least) continue;
    if (score < least) {
      least = score;
      chosen = index;
      equalWeight = weight;
      continue;
    }
    // Of the equal ones seen so far, each is chosen with a probability in proportion to its weight.
    if (random() * (equalWeight + weight) >= equalWeight) chosen = index;
    equalWeight += weight;
  }
  return chosen;
}

/** All of them by their draws, so that the keys of one that fails spread over the others by weight. */
function orderByKey({ own, fallbacks }: Lot, key: number): readonly Target[] {
  const drawn = own.map(({ candidate: { hash, weight }, target }) => ({ target, draw: drawOf(key, hash, weight) }));
  drawn.sort((a, b) => a.draw - b.draw);
  return [...drawn.map(({ target }) => target), ...fallbacks];
}
