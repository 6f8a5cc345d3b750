import type { Usage } from "../../kernel/usage.ts";
import type { NanoUsd } from "../../kernel/money.ts";
import type { Price } from "../price-book.ts";

/** What the dearest of several models costs, whichever that is for the usage in question: for holds. */
export function dearestOf(first: Price, ...others: readonly Price[]): Price {
  if (others.length === 0) return first;
  const prices = [first, ...others];
  const most = (costOf: (price: Price) => NanoUsd): NanoUsd =>
    prices.map(costOf).reduce((dearest, cost) => (cost > dearest ? cost : dearest));
  const { version, rates, standIn } = first;
  return {
    version,
    rates,
    standIn,
    cost: (usage: Usage) => most((price) => price.cost(usage)),
    worstCost: (usage: Usage) => most((price) => price.worstCost(usage)),
    worstCostAsked: (usage: Usage, tier) => most((price) => price.worstCostAsked(usage, tier)),
    servedAt: (tier) => dearestOf(first.servedAt(tier), ...others.map((price) => price.servedAt(tier))),
  };
}
