/**
 * What an attempt may use and cost, before it is made.
 *
 * `worst`: all the input there can be and all the output that is allowed. `first`: the same input and one slice of
 * output, which a stream outgrows slice by slice (growth.ts). An answer that comes in one piece cannot be stopped on
 * its way, so its first holding is the worst case.
 */
import { worstUsage } from "../../accounting/estimate.ts";
import type { Price } from "../../accounting/price-book.ts";
import type { Operation, RequestView } from "../../dialects/dialect.ts";
import { zeroUsd, type NanoUsd } from "../../kernel/money.ts";
import { totalInputTokens, totalOutputTokens, type Usage } from "../../kernel/usage.ts";
import type { Demand, Estimate } from "../../limits/limits.ts";
import type { ChosenTarget } from "../attempt/choose.ts";

/** What is held, or would be: usage and the most that it costs. */
export interface Holding {
  readonly usage: Usage;
  readonly costNanoUsd: NanoUsd;
}

export interface AttemptEstimate {
  readonly first: Holding;
  readonly worst: Holding;
}

/** `outputBound`: the most output tokens of one answer, where the gateway lowers what the caller allowed. */
export function estimateAttempt(
  chosen: ChosenTarget,
  view: RequestView,
  operation: Operation,
  sliceTokens: number,
  outputBound: number | null,
): AttemptEstimate {
  const usage = worstUsage({
    inputBytes: view.document.bytes.byteLength,
    maxOutputTokens: outputBound ?? view.maxOutputTokens ?? chosen.target.facts.maxOutputTokens,
    choices: view.choices,
    operation,
    media: view.needs.images || view.needs.audio || view.needs.documents,
  });
  const worst = holdingOf(usage, chosen.price);
  if (!view.stream || usage.outputTokens <= sliceTokens) return { first: worst, worst };
  return { first: holdingOf({ ...usage, outputTokens: sliceTokens }, chosen.price), worst };
}

export function holdingOf(usage: Usage, price: Price | null): Holding {
  return { usage, costNanoUsd: price?.worstCost(usage) ?? zeroUsd };
}

export function toEstimate({ first, worst }: AttemptEstimate): Estimate {
  const expected = demandOf(first);
  return { expected, worst: first === worst ? expected : demandOf(worst) };
}

/** What usage and cost take from allowances. */
export function demandOf({ usage, costNanoUsd }: Holding): Demand {
  return { costNanoUsd, tokens: totalInputTokens(usage) + totalOutputTokens(usage) };
}
