import type { Snapshot } from "../../exchange/snapshot.ts";
import { type Finding, ok, warn } from "./finding.ts";

/** Whether every target of every alias has a price: a call without one costs nothing in the ledger. */
export function checkPrices({ config, prices }: Snapshot, nowMs: number): Finding {
  const check = "prices";
  const targets = Object.values(config.models).flatMap((alias) => alias.targets.map(({ model }) => model));
  const unpriced = [...new Set(targets)].filter((target) => {
    const slash = target.indexOf("/");
    return prices.find(target.slice(0, slash), target.slice(slash + 1), null, nowMs) === null;
  });
  if (targets.length === 0) return ok(check, "no aliases are configured; models are priced by the catalogue");
  if (unpriced.length === 0) return ok(check, "every target of an alias has a price");
  const effect = config.prices.unknownModel === "refuse" ? "calls of them are refused" : "calls of them count as $0";
  return warn(check, `no price for ${unpriced.join(", ")}: ${effect}`, "Add them under prices.overrides.");
}
