/**
 * A route: the weighted candidates behind one name. For each combination of dialect and needs that is asked for it
 * works out once which candidates can serve it, and every order in which they can be tried: the one chosen by weight,
 * then the others by falling weight. Choosing is then one random number and one array.
 */
import type { DialectName, Needs, Operation } from "../dialects/dialect.ts";
import { HeadgateError } from "../kernel/errors.ts";
import { describeNeedBits, needBits, type Candidate } from "./candidate.ts";
import type { Target } from "./plan.ts";

export interface WeightedCandidate {
  readonly candidate: Candidate;
  /** 0: never taken. */
  readonly weight: number;
}

export interface Route {
  /** Best first, never empty. Throws `unsupported_capability` naming what each candidate is missing. */
  choose(operation: Operation, dialectIn: DialectName, needs: Needs, random: () => number): readonly Target[];
}

/** All orders for one kind of request; `orders[i]` begins with the i-th able candidate. */
interface Lot {
  readonly orders: readonly (readonly Target[])[];
  /** Running sums of the weights. */
  readonly bounds: readonly number[];
  readonly total: number;
}

export function createRoute(name: string, candidates: readonly WeightedCandidate[]): Route {
  const offered = candidates.filter(({ weight }) => weight > 0);
  /** By the caller's dialect, which serves one operation, and the bits of the needs. */
  const lots = new Map<DialectName, Map<number, Lot>>();

  return {
    choose(operation, dialectIn, needs, random) {
      const bits = needBits(needs);
      let byNeeds = lots.get(dialectIn);
      if (byNeeds === undefined) {
        byNeeds = new Map<number, Lot>();
        lots.set(dialectIn, byNeeds);
      }
      let lot = byNeeds.get(bits);
      if (lot === undefined) {
        lot = createLot(offered, operation, dialectIn, bits);
        byNeeds.set(bits, lot);
      }
      const order = lot.orders.length === 1 ? lot.orders[0] : draw(lot, random);
      if (order === undefined) throw unsupported(name, offered, operation, dialectIn, bits);
      return order;
    },
  };
}

function createLot(
  offered: readonly WeightedCandidate[],
  operation: Operation,
  dialectIn: DialectName,
  bits: number,
): Lot {
  const able: { readonly target: Target; readonly weight: number }[] = [];
  for (const { candidate, weight } of offered) {
    const target = (candidate.lacks & bits) === 0 ? candidate.target(operation, dialectIn) : null;
    if (target) able.push({ target, weight });
  }
  const byWeight = able.toSorted((a, b) => b.weight - a.weight);
  const bounds: number[] = [];
  let total = 0;
  for (const { weight } of able) bounds.push((total += weight));
  const orders = able.map((first) => [first, ...byWeight.filter((each) => each !== first)].map(({ target }) => target));
  return { orders, bounds, total };
}

function draw({ orders, bounds, total }: Lot, random: () => number): readonly Target[] | undefined {
  const drawn = random() * total;
  const index = bounds.findIndex((bound) => drawn < bound);
  return orders.at(index);
}

function unsupported(
  name: string,
  offered: readonly WeightedCandidate[],
  operation: Operation,
  dialectIn: DialectName,
  bits: number,
): HeadgateError {
  const reasons = offered.map(({ candidate }) =>
    candidate.target(operation, dialectIn) === null
      ? `${candidate.name} does not serve ${operation}`
      : `${candidate.name} has no ${describeNeedBits(candidate.lacks & bits)}`,
  );
  const why = reasons.length === 0 ? "every target has weight 0" : reasons.join("; ");
  return new HeadgateError("unsupported_capability", `No target of model "${name}" can serve this request: ${why}.`, {
    param: "model",
  });
}
