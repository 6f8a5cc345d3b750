/** The estimate of a request before it is made: what it would hold, what it can cost, and whether it would be admitted. */
import type { Dialect, RequestView } from "../dialects/dialect.ts";
import { assert } from "../kernel/assert.ts";
import { formatUsd, type NanoUsd } from "../kernel/money.ts";
import type { Meter } from "../limits/allowance.ts";
import type { AllowanceVerdict, Limits } from "../limits/limits.ts";
import type { Principal } from "../tenancy/principal.ts";
import { chooseTarget } from "./attempt/choose.ts";
import type { Exchange } from "./exchange.ts";
import { planRequest } from "./plan-request.ts";
import { demandOf, estimateAttempt, toEstimate, type Holding } from "./reservation/estimate.ts";
import { requestScope } from "./reservation/reserve.ts";

export interface CostEstimate {
  readonly object: "cost.estimate";
  /** `provider/model` that the request would go to now. */
  readonly model: string;
  /** `null`: the model has no price. */
  readonly price_version: string | null;
  /** Held at the beginning by allowances of policy `expected`. */
  readonly hold: AmountOfUse;
  /** The most it can use; held by allowances of policy `strict`. */
  readonly max: AmountOfUse;
  readonly admitted: boolean;
  /** Name of the first allowance that would refuse it. */
  readonly refused_by: string | null;
  readonly allowances: readonly EstimatedAllowance[];
}

interface AmountOfUse {
  /** Nano-dollars as decimal text, for they may exceed what a JSON number holds. `null` without a price. */
  readonly cost_nano_usd: string | null;
  /** For people: `$0.0125`. */
  readonly cost: string | null;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly tokens: number;
}

interface EstimatedAllowance {
  readonly name: string;
  readonly scope: string;
  readonly meter: Meter;
  readonly window: string;
  readonly mode: string;
  /** In the meter's unit, money in nano-dollars, as decimal text. */
  readonly hold: string;
  readonly available: string;
  readonly admitted: boolean;
}

/** Throws and rejects like the request itself would before money is held, and with `storage_unavailable`. */
export async function estimateCost(
  limits: Limits,
  { snapshot, startedAtMs, incoming }: Pick<Exchange, "snapshot" | "startedAtMs" | "incoming">,
  dialect: Dialect,
  view: RequestView,
  principal: Principal,
): Promise<CostEstimate> {
  const request = { snapshot, dialect, startedAtMs, incoming };
  const [target] = planRequest(request, view, principal).targets;
  assert(target !== undefined, "a plan has a target");
  const chosen = chooseTarget(request, view, target);
  const { outputSliceTokens } = snapshot.config.budgets;
  const estimate = estimateAttempt(chosen, view, dialect.operation, outputSliceTokens, null);
  const verdicts = await limits.preview(requestScope(request, view, principal, chosen), toEstimate(estimate));
  const refusing = verdicts.find(({ admitted, allowance }) => !admitted && allowance.mode === "enforce");
  const priced = chosen.price !== null;
  return {
    object: "cost.estimate",
    model: chosen.target.name,
    price_version: chosen.price?.version ?? null,
    hold: describe(estimate.first, priced),
    max: describe(estimate.worst, priced),
    admitted: refusing === undefined,
    refused_by: refusing?.allowance.name ?? null,
    allowances: verdicts.map(describeVerdict),
  };
}

function describe(holding: Holding, priced: boolean): AmountOfUse {
  const { inputTokens, outputTokens } = holding.usage;
  const cost: NanoUsd = holding.costNanoUsd;
  return {
    cost_nano_usd: priced ? cost.toString() : null,
    cost: priced ? formatUsd(cost) : null,
    input_tokens: inputTokens,
    output_tokens: outputTokens,
    tokens: demandOf(holding).tokens,
  };
}

function describeVerdict({ allowance, hold, available, admitted }: AllowanceVerdict): EstimatedAllowance {
  const { name, scope, meter, window, mode } = allowance;
  return {
    name,
    scope: scope.kind,
    meter,
    window,
    mode,
    hold: hold.toString(),
    available: available.toString(),
    admitted,
  };
}
