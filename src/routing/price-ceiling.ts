/** What a route lets a target cost at most, per million tokens of input and of output. */
import type { PriceCeilingConfig } from "../config/config.ts";
import { assert } from "../kernel/assert.ts";
import { formatUsd, parseUsd, zeroUsd, type NanoUsd } from "../kernel/money.ts";

/** Dollars per million as decimal text; a tiered rate is followed by `[more input tokens than, dollars]` in rising order. */
export type RoutedRate = string | readonly [string, ...(readonly [number, string])[]];

/** A price is the same object as long as it is the same price. */
export interface RoutedPrice {
  /** A fixed amount stands in for a price that nobody knows. */
  readonly standIn: boolean;
  /** A rate that is absent is 0. */
  readonly rates: { readonly input?: RoutedRate; readonly output?: RoutedRate };
}

export interface PriceCeiling {
  /** Why the price is above it for such a body, as the rest of a sentence that begins with the target's name; else `null`. */
  objection(price: RoutedPrice | null, body: Uint8Array): string | null;
}

/** `null`: there is none. `countInput`: about how many tokens a body has. */
export function createPriceCeiling(
  { input, output }: PriceCeilingConfig,
  countInput: (body: Uint8Array) => number,
): PriceCeiling | null {
  if (input === null && output === null) return null;
  const bounds = { input: parseBound(input), output: parseBound(output) };
  /** Of prices whose rates do not depend on the request's length. */
  const known = new WeakMap<RoutedPrice, { readonly objection: string | null }>();
  return {
    objection(price, body) {
      if (price === null || price.standIn) return "has no price, and the route has a price ceiling";
      const found = known.get(price);
      if (found !== undefined) return found.objection;
      const { rates } = price;
      const tiered = Array.isArray(rates.input) || Array.isArray(rates.output);
      const tokens = tiered ? countInput(body) : 0;
      const objection =
        compare("input", rateAt(rates.input, tokens), bounds.input) ??
        compare("output", rateAt(rates.output, tokens), bounds.output);
      if (!tiered) known.set(price, { objection });
      return objection;
    },
  };
}

function parseBound(text: string | null): NanoUsd | null {
  return text === null ? null : parse(text);
}

function parse(text: string): NanoUsd {
  const amount = parseUsd(text);
  assert(amount !== null, `not an amount of dollars: ${text}`);
  return amount;
}

/** Once passed, a tier's rate is that of every token of the request. */
function rateAt(rate: RoutedRate | undefined, inputTokens: number): NanoUsd {
  if (rate === undefined) return zeroUsd;
  if (typeof rate === "string") return parse(rate);
  const [base, ...tiers] = rate;
  let text = base;
  for (const [above, dollars] of tiers) if (inputTokens > above) text = dollars;
  return parse(text);
}

function compare(bucket: "input" | "output", rate: NanoUsd, bound: NanoUsd | null): string | null {
  if (bound === null || rate <= bound) return null;
  return `costs ${formatUsd(rate)} per million ${bucket} tokens, above the route's ceiling of ${formatUsd(bound)}`;
}
