/**
 * What the simulator charges. A model's name may go on after a colon (`sim-chat:slow`), which asks for a behaviour
 * and does not change the price. The simulator's own invoice is made from the same figures.
 */
import type { CatalogueList, CatalogueModel, CatalogueRates } from "./catalogue.ts";

function model(id: string, context: number, rates: CatalogueRates): CatalogueModel {
  return { id, match: { or: [{ equals: id }, { starts_with: `${id}:` }] }, context, prices: [{ rates }] };
}

export const simulatorList: CatalogueList = {
  fallback: [],
  unpriced: [],
  models: [
    model("sim-chat", 1_000_000, {
      input: "1",
      cacheRead: "0.1",
      cacheWrite5m: "1.25",
      cacheWrite1h: "2",
      output: "4",
      reasoning: "4",
    }),
    model("sim-mini", 1_000_000, { input: "0.0375", cacheRead: "0.0125", output: "0.15", reasoning: "0.15" }),
    model("sim-claude", 1_000_000, {
      input: "3",
      cacheRead: "0.3",
      cacheWrite5m: "3.75",
      cacheWrite1h: "6",
      output: "15",
      reasoning: "15",
    }),
    model("sim-embed", 1_000_000, { input: "0.02" }),
  ],
};
