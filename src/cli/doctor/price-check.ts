import type { Snapshot } from "../../exchange/snapshot.ts";
import { type Finding, ok, warn } from "./finding.ts";

/** Whether every target of every alias has a price. */
export function checkPrices({ config, prices }: Snapshot, nowMs: number): Finding {
  const check = "prices";
  const targets = Object.values(config.models).flatMap(({ targets, fallbacks }) =>
    [...targets, ...fallbacks].map(({ model }) => model),
  );
  const unpriced = [...new Set(targets)].filter((target) => {
    const slash = target.indexOf("/");
    const price = prices.find(target.slice(0, slash), target.slice(slash + 1), null, nowMs);
    return price === null || price.standIn;
  });
  if (targets.length === 0) return ok(check, "no aliases are configured; models are priced by the catalogue");
  if (unpriced.length === 0) return ok(check, "every target of an alias has a price");
  const effects = {
    "allow-unbudgeted": "calls of them count as $0, and are refused where a budget of money applies",
    allow: "calls of them count as $0, in budgets of money too",
    hold: `calls of them count as $${config.prices.unknownModelHold} each`,
    refuse: "calls of them are refused",
  };
  const effect = effects[config.prices.unknownModel];
  return warn(check, `no price for ${unpriced.join(", ")}: ${effect}`, "Add them under prices.overrides.");
}
