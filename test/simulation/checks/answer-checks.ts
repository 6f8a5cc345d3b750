/** What must hold of what callers are told: previews, and how rates stand. */
import { regimeOf, type Meter } from "../../../src/limits/allowance.ts";
import type { AllowanceVerdict, RateStanding, Reservation } from "../../../src/limits/limits.ts";
import type { Asked } from "./asked.ts";
import { neededOf, pathOf } from "./path.ts";
import { Violation } from "./violation.ts";

/** Every allowance on the path has its verdict, of the right amount. */
export function checkPreview(asked: Asked, verdicts: readonly AllowanceVerdict[]): void {
  const { plan, process, path, requestId } = asked;
  const pathNow = pathOf(process.allowances.ofTenant(plan.scope.payer.tenantId), plan.scope);
  for (const { row, prefix } of path) {
    if (!pathNow.some((entry) => entry.prefix === prefix)) continue;
    const verdict = verdicts.find(({ allowance }) => allowance.id === row.id);
    if (verdict === undefined) throw new Violation("path", `the preview of ${requestId} says nothing of "${row.name}"`);
    if (verdict.allowance.policy !== row.policy || verdict.hold === neededOf(row, plan.estimate)) continue;
    throw new Violation("path", `the preview of ${requestId} would hold ${verdict.hold} of "${row.name}"`);
  }
}

export function checkRates(asked: Asked, { requestRate, tokenRate }: Reservation): void {
  checkRate(asked, "requests", requestRate);
  checkRate(asked, "tokens", tokenRate);
}

/** It is of a rate on the path, and says what can be. */
function checkRate({ path, requestId }: Asked, meter: Meter, standing: RateStanding | null): void {
  if (standing === null) return;
  const { limit, remaining, resetMs } = standing;
  const isOnPath = path.some(({ row }) => row.meter === meter && regimeOf(row.meter, row.window_kind) === "rate");
  if (isOnPath && remaining >= 0n && remaining <= limit && resetMs >= 0 && Number.isFinite(resetMs)) return;
  throw new Violation("path", `${requestId} is told of ${remaining} of ${limit} ${meter} until ${resetMs} ms`);
}
