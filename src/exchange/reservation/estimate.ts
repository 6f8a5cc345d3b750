/**
 * What an attempt may use and cost, before it is made.
 *
 * `worst`: all the input there can be and all the output that is allowed. `whole`: the input that is expected, and the
 * same output. `first`: the same input and one slice of output, which a stream outgrows slice by slice (growth.ts). An
 * answer that comes in one piece cannot be stopped on its way, so its first holding is that of the whole one.
 */
import { expectedUsage, worstUsage, type RequestSize } from "../../accounting/estimate.ts";
import type { Price } from "../../accounting/price-book.ts";
import type { Operation, RequestView } from "../../dialects/dialect.ts";
import { zeroUsd, type NanoUsd } from "../../kernel/money.ts";
import { totalInputTokens, totalOutputTokens, type Usage } from "../../kernel/usage.ts";
import type { Demand, Estimate } from "../../limits/limits.ts";
import { holdPrice, type ChosenTarget } from "../attempt/choose.ts";
import { countMedia } from "./media.ts";
import { providerWork } from "./provider-work.ts";

/** What is held, or would be: usage and the most that it costs. */
export interface Holding {
  readonly usage: Usage;
  readonly costNanoUsd: NanoUsd;
}

export interface AttemptEstimate {
  readonly first: Holding;
  readonly whole: Holding;
  readonly worst: Holding;
  /** How many answers share the output of `worst`. */
  readonly answersAtWorst: number;
}

/** `outputBound`: the most output tokens of one answer, where the gateway lowers what the caller allowed. */
export function estimateAttempt(
  chosen: ChosenTarget,
  view: RequestView,
  operation: Operation,
  sliceTokens: number,
  outputBound: number | null,
): AttemptEstimate {
  const { document, choices } = view;
  const { facts } = chosen.target;
  const { images, documents } = countMedia(document);
  const { ownCalls, turns, summaries } = providerWork(document, facts.model);
  const size: RequestSize = {
    inputBytes: document.bytes.byteLength,
    maxOutputTokens: maxOutputOf(chosen, outputBound ?? view.maxOutputTokens),
    choices,
    operation,
    images,
    tokensPerImage: images > 0 && countsImagesHigh(chosen) ? COSTLY_IMAGE_TOKENS : IMAGE_TOKENS,
    documents,
    ownCalls,
    turns,
    summaries,
    contextTokens: windowOf(chosen),
  };
  const usage = expectedUsage(size);
  const price = holdPrice(chosen);
  const whole = holdingOf(usage, price);
  const most = worstUsage(size, usage);
  const worst = worstHoldingOf(most, price, view);
  const isSliced = view.stream && usage.outputTokens > sliceTokens;
  const first = isSliced ? holdingOf({ ...usage, outputTokens: sliceTokens }, price) : whole;
  const isWhole = most === usage && worst.costNanoUsd === whole.costNanoUsd;
  return { first, whole, worst: isWhole ? whole : worst, answersAtWorst: choices + summaries };
}

/** A model that may serve in place of the one that is called has its own maximum, and may be given a bound of its own. */
function maxOutputOf({ target, mayServe }: ChosenTarget, bound: number | null): number | null {
  if (mayServe === null) return bound ?? target.facts.maxOutputTokens;
  return bound === null ? null : Math.max(bound, mayServe.outputTokens);
}

/** `null`: unknown, which counts as a large one. */
function windowOf({ target: { contextTokens }, mayServe }: ChosenTarget): number | null {
  return mayServe !== null && contextTokens !== null && contextTokens < LARGE_WINDOW_TOKENS ? null : contextTokens;
}

const LARGE_WINDOW_TOKENS = 1_048_576;

function countsImagesHigh({ target, mayServe }: ChosenTarget): boolean {
  return costlyImages.test(target.facts.model) || mayServe?.targets.some((name) => costlyImages.test(name)) === true;
}

/** Twice what the largest image counts in detail at the providers that say it (OpenAI, Anthropic, Google). */
const IMAGE_TOKENS = 8192;
/** But for one model: 2,833 tokens, and 5,667 for each of up to eight tiles (OpenAI's guide to images). */
const COSTLY_IMAGE_TOKENS = 49_152;
const costlyImages = /gpt-4o-mini/;

export function holdingOf(usage: Usage, price: Price | null): Holding {
  return { usage, costNanoUsd: price?.worstCost(usage) ?? zeroUsd };
}

/** At the dearest tier that the request may be served at, whatever it asks for. */
export function worstHoldingOf(
  usage: Usage,
  price: Price | null,
  { serviceTier }: Pick<RequestView, "serviceTier">,
): Holding {
  return { usage, costNanoUsd: price?.worstCostAsked(usage, serviceTier) ?? zeroUsd };
}

export function toEstimate({ first, worst }: AttemptEstimate): Estimate {
  const expected = demandOf(first);
  return { expected, worst: first === worst ? expected : demandOf(worst) };
}

/** What usage and cost take from allowances. */
export function demandOf({ usage, costNanoUsd }: Holding): Demand {
  return { costNanoUsd, tokens: totalInputTokens(usage) + totalOutputTokens(usage) };
}
