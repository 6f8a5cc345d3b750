/** From a caller's request to the targets that can serve it. */
import type { RequestView } from "../dialects/dialect.ts";
import { HeadgateError } from "../kernel/errors.ts";
import { isModelAllowed } from "../routing/allow-list.ts";
import type { Plan } from "../routing/plan.ts";
import type { Principal } from "../tenancy/principal.ts";
import type { Exchange } from "./exchange.ts";

/** Throws `model_not_found`, `unsupported_capability`, `model_not_allowed`. */
export function planRequest(
  { snapshot, dialect }: Pick<Exchange, "snapshot" | "dialect">,
  view: RequestView,
  { modelAllowList }: Pick<Principal, "modelAllowList">,
): Plan {
  const plan = snapshot.router.plan({
    model: view.model,
    operation: dialect.operation,
    dialectIn: dialect.name,
    needs: view.needs,
    modelAllowList,
  });
  const targetNames = modelAllowList === null ? [] : plan.targets.map((each) => each.name);
  if (!isModelAllowed(modelAllowList, plan.asked, targetNames)) {
    throw new HeadgateError(
      "model_not_allowed",
      `This API key may not use the model ${JSON.stringify(plan.asked)}. GET /v1/models lists those it may use.`,
      { param: "model" },
    );
  }
  return plan;
}
