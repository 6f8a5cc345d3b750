/** Requests: who asks for what, how much it will really use, and how it will end. */
import { toNanoUsd } from "../../../src/kernel/money.ts";
import type { Demand, Estimate, RequestScope } from "../../../src/limits/limits.ts";
import type { Random } from "../world/random.ts";
import { endUsers, keys, models, tenantId } from "./allowances.ts";

/** Output tokens of one slice: what a stream holds ahead, and the most it can use beyond what it holds. */
export const sliceTokens = 100;

export interface RequestPlan {
  readonly scope: RequestScope;
  readonly estimate: Estimate;
  /** Nano-dollars a token. */
  readonly price: bigint;
  readonly inputTokens: number;
  readonly outputTokensMax: number;
  /** Output that is seen while it comes. An answer in one piece is seen at its end. */
  readonly outputTokens: number;
  /** Output that is known at the end only. Below one slice. */
  readonly hiddenTokens: number;
  readonly stream: boolean;
  /**
   * `unsent`: no provider saw it. `refused`: the provider did, and bills nothing. `complete`: to its end, unless it is
   * stopped for want of room.
   */
  readonly ending: "complete" | "refused" | "unsent";
  /** From the commit of its hold to the first output, or the whole answer. */
  readonly answerMs: number;
  /** Of a stream, between one piece of output and the next. */
  readonly pieceMs: number;
  /** Once this call is over, another one is made for the same request, of this model or another. */
  readonly next: RequestPlan | null;
}

const CALLS_MAX = 3;
const NEXT_CHANCE = 0.15;

export function drawRequest(random: Random): RequestPlan {
  const payer = { tenantId, ...random.pick(keys) };
  const endUser = random.pick(endUsers);
  const operation = random.chance(0.8) ? "chat" : "embeddings";
  return drawCall(random, { payer, endUser, operation }, CALLS_MAX);
}

function drawCall(
  random: Random,
  caller: Pick<RequestScope, "payer" | "endUser" | "operation">,
  callsMax: number,
): RequestPlan {
  const model = random.pick(models);
  const stream = random.chance(0.7);
  const inputTokens = random.skewed(10, 600);
  const outputTokensMax = random.skewed(20, 2_000);
  const outputTokens = random.chance(0.2) ? outputTokensMax : random.between(1, outputTokensMax);
  const firstTokens = inputTokens + (stream ? Math.min(outputTokensMax, sliceTokens) : outputTokensMax);
  return {
    scope: { ...caller, modelAsked: model.asked, modelTarget: model.target },
    estimate: {
      expected: demand(firstTokens, model.price),
      worst: demand(inputTokens + outputTokensMax, model.price),
    },
    price: model.price,
    inputTokens,
    outputTokensMax,
    outputTokens,
    hiddenTokens: stream && random.chance(0.3) ? random.below(sliceTokens) : 0,
    stream,
    ending: random.pick(["complete", "complete", "complete", "complete", "complete", "complete", "refused", "unsent"]),
    answerMs: random.skewed(5, 3_000),
    pieceMs: random.skewed(5, 400),
    next: callsMax > 1 && random.chance(NEXT_CHANCE) ? drawCall(random, caller, callsMax - 1) : null,
  };
}

/** What so many tokens use. */
export function demand(tokens: number, price: bigint): Demand {
  return { costNanoUsd: toNanoUsd(BigInt(tokens) * price), tokens };
}
