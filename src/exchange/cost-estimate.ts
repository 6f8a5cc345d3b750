/** The estimate of a request before it is made: what it would hold, what it can cost, and whether it would be admitted. */
import type { Dialect, RequestView } from "../dialects/dialect.ts";
import { formatUsd, type NanoUsd } from "../kernel/money.ts";
import type { Meter } from "../limits/allowance.ts";
import type { AllowanceVerdict, Limits } from "../limits/limits.ts";
import type { Principal } from "../tenancy/principal.ts";
import { chooseTarget, type ChosenTarget } from "./attempt/choose.ts";
import type { Exchange } from "./exchange.ts";
import { planRequest } from "./plan-request.ts";
import { type AttemptEstimate, demandOf, estimateAttempt, toEstimate, type Holding } from "./reservation/estimate.ts";
import { requestScope } from "./reservation/reserve.ts";
import { assertLimitable } from "./serving/limitable.ts";

export interface CostEstimate {
  readonly object: "cost.estimate";
  /** `provider/model` of the target that would be called first, of those that allowances admit. */
  readonly model: string;
  /** `null`: the model has no price. */
  readonly price_version: string | null;
  /** Held at the beginning by allowances of policy `expected`. */
  readonly hold: AmountOfUse;
  /** The most one call of it can use, at the dearest target; `strict` allowances hold what it is at the one called. */
  readonly max: AmountOfUse;
  readonly admitted: boolean;
  /** Name of the first allowance that would refuse it. */
  readonly refused_by: string | null;
  /** Without those of mode `shadow`, of which callers are told nothing. */
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

/**
 * Of one call: of the first target in order of which its allowances would admit it, else of the first one. `max` is that of
 * the dearest target it may go to. Throws and rejects like the request itself would before money is held, and with
 * `storage_unavailable`.
 */
export async function estimateCost(
  limits: Limits,
  { snapshot, startedAtMs, incoming }: Pick<Exchange, "snapshot" | "startedAtMs" | "incoming">,
  dialect: Dialect,
  view: RequestView,
  principal: Principal,
): Promise<CostEstimate> {
  const request = { snapshot, dialect, startedAtMs, incoming };
  const { outputSliceTokens } = snapshot.config.budgets;
  const estimates: TargetEstimate[] = [];
  let failure: unknown = null;
  for (const target of planRequest(request, view, principal).targets) {
    try {
      const chosen = chooseTarget(request, view, target);
      const estimate = estimateAttempt(chosen, view, dialect.operation, outputSliceTokens, null);
      const scope = requestScope(request, view, principal, chosen);
      assertLimitable(limits, scope, chosen, snapshot.config.prices.unknownModel);
      const verdicts = await limits.preview(scope, toEstimate(estimate));
      const refusing = verdicts.find(({ admitted, allowance }) => !admitted && allowance.mode === "enforce") ?? null;
      estimates.push({ chosen, estimate, verdicts, refusing });
    } catch (thrown) {
      failure ??= thrown;
    }
  }
  const taken = estimates.find(({ refusing }) => refusing === null) ?? estimates[0];
  if (taken === undefined) throw failure;
  const dearest = estimates.reduce((most, each) => (costOf(each) > costOf(most) ? each : most), taken);
  return {
    object: "cost.estimate",
    model: taken.chosen.target.name,
    price_version: taken.chosen.price?.version ?? null,
    hold: describe(taken.estimate.first, taken.chosen.price !== null),
    max: describe(dearest.estimate.worst, dearest.chosen.price !== null),
    admitted: taken.refusing === null,
    refused_by: taken.refusing?.allowance.name ?? null,
    allowances: taken.verdicts.filter(({ allowance }) => allowance.mode !== "shadow").map(describeVerdict),
  };
}

/** What the request would be to one target. */
interface TargetEstimate {
  readonly chosen: ChosenTarget;
  readonly estimate: AttemptEstimate;
  readonly verdicts: readonly AllowanceVerdict[];
  /** `null`: its allowances admit it. */
  readonly refusing: AllowanceVerdict | null;
}

function costOf({ estimate }: TargetEstimate): NanoUsd {
  return estimate.worst.costNanoUsd;
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
