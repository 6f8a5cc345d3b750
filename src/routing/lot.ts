/**
 * A lot: the members of a route that can serve one kind of request, and every order in which they can be tried, worked
 * out once. `orders[i]` begins with the i-th of the route's own members; then come its other own ones by falling weight,
 * then the fallbacks as declared. To choose is then to find an index: no list is made for a request.
 */
import type { Candidate } from "./candidate.ts";
import type { Target } from "./plan.ts";

/** A candidate and the target that it is for the caller's dialect. */
export interface Member {
  readonly candidate: Candidate;
  readonly target: Target;
}

export interface Lot {
  readonly members: readonly Member[];
  /** By falling weight; all above 0. Empty: only fallbacks can serve, in the one order that there is. */
  readonly own: readonly Member[];
  readonly fallbacks: readonly Target[];
  readonly orders: readonly (readonly Target[])[];
  /** Running sums of the weights of `own`. */
  readonly bounds: readonly number[];
  readonly totalWeight: number;
}

export function createLot(members: readonly Member[]): Lot {
  const own = members
    .filter(({ candidate }) => !candidate.isFallback)
    .toSorted((a, b) => b.candidate.weight - a.candidate.weight);
  const fallbacks = members.filter(({ candidate }) => candidate.isFallback).map(({ target }) => target);
  const bounds: number[] = [];
  let totalWeight = 0;
  for (const { candidate } of own) bounds.push((totalWeight += candidate.weight));
  const orders = own.map((first) => [
    first.target,
    ...own.filter((each) => each !== first).map(({ target }) => target),
    ...fallbacks,
  ]);
  if (orders.length === 0 && fallbacks.length > 0) orders.push(fallbacks);
  return { members, own, fallbacks, orders, bounds, totalWeight };
}
