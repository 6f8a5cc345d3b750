import { estimateCost, type CostEstimate } from "../exchange/cost-estimate.ts";
import type { Exchange } from "../exchange/exchange.ts";
import type { Limits } from "../limits/limits.ts";
import type { Principal } from "../tenancy/principal.ts";
import { readAskedRequest } from "./asked-request.ts";

/** `POST /v1/cost/estimate`. Rejects like `readAskedRequest`, and with whatever the request itself would be refused with. */
export async function answerCostEstimate(
  limits: Limits,
  exchange: Exchange,
  principal: Principal,
): Promise<CostEstimate> {
  const { dialect, view } = await readAskedRequest(exchange);
  return estimateCost(limits, exchange, dialect, view, principal);
}
