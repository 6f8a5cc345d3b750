/**
 * What a budget of money cannot hold, it cannot limit: a call whose price nobody knows, or that leaves it to the provider
 * which model serves. `prices.unknownModel` says whether such a call is made under a budget.
 */
import type { PricesConfig } from "../../config/config.ts";
import { HeadgateError } from "../../kernel/errors.ts";
import type { Limits, RequestScope } from "../../limits/limits.ts";
import type { ChosenTarget } from "../attempt/choose.ts";

/** Throws `unpriced_model`, naming the budget and the field; `storage_unavailable`. */
export function assertLimitable(
  limits: Pick<Limits, "moneyBudget">,
  scope: RequestScope,
  { target, price, mayServe }: Pick<ChosenTarget, "target" | "price" | "mayServe">,
  unknownModel: PricesConfig["unknownModel"],
): void {
  const unpricedField = price === null ? "model" : (mayServe?.unpricedField ?? null);
  const openField = mayServe?.openField ?? null;
  if (unknownModel === "allow" || (unpricedField === null && openField === null)) return;
  const budget = limits.moneyBudget(scope);
  if (budget === null) return;
  if (unpricedField !== null) {
    const model = unpricedField === "model" ? `The model ${target.name}` : `The model that ${unpricedField} names`;
    throw new HeadgateError(
      "unpriced_model",
      `${model} has no price, so the budget "${budget.name}" cannot limit what it costs. The operator gives it a price under prices.overrides, or decides by prices.unknownModel (hold, allow) what becomes of such calls.`,
      { param: unpricedField },
    );
  }
  if (budget.policy !== "strict" || openField === null) return;
  throw new HeadgateError(
    "unpriced_model",
    `${openField} leaves it to the provider which model serves, so the budget "${budget.name}", which is strict, has nothing to hold for it. Leave it out, or name the models.`,
    { param: openField },
  );
}
