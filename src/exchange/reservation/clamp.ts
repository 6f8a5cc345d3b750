import type { Price } from "../../accounting/price-book.ts";
import type { RequestView } from "../../dialects/dialect.ts";
import { totalInputTokens } from "../../kernel/usage.ts";
import type { AllowanceVerdict } from "../../limits/limits.ts";
import { holdingOf, worstHoldingOf, type AttemptEstimate } from "./estimate.ts";

/** An answer cut shorter than this helps nobody. */
const outputTokensMin = 16;

/**
 * The longest answer, in tokens of each of the choices, that every allowance that refused can pay for; `null` if none
 * can, or if what refused does not depend on the answer's length.
 */
export function affordableOutput(
  verdicts: readonly AllowanceVerdict[],
  { whole, worst, answersAtWorst }: Pick<AttemptEstimate, "whole" | "worst" | "answersAtWorst">,
  price: Price | null,
  view: Pick<RequestView, "choices" | "serviceTier">,
): number | null {
  const { choices } = view;
  let each = Math.floor(whole.usage.outputTokens / choices);
  for (const { allowance, available, admitted } of verdicts) {
    if (admitted) continue;
    const isStrict = allowance.policy === "strict";
    const { usage } = isStrict ? worst : whole;
    let outputTokens: number;
    if (allowance.meter === "money") {
      outputTokens = longest(usage.outputTokens, (tokens) => {
        const shorter = { ...usage, outputTokens: tokens };
        const holding = isStrict ? worstHoldingOf(shorter, price, view) : holdingOf(shorter, price);
        return holding.costNanoUsd <= available;
      });
    } else if (allowance.meter === "tokens") {
      outputTokens = Number(available) - totalInputTokens(usage);
    } else {
      return null;
    }
    each = Math.min(each, Math.floor(outputTokens / (isStrict ? answersAtWorst : choices)));
  }
  return each < outputTokensMin ? null : each;
}

/** The largest count up to `most` that fits, where every smaller one fits too; 0 if none does. */
function longest(most: number, fits: (tokens: number) => boolean): number {
  let low = 0;
  let high = most;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (fits(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}
