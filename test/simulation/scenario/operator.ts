/** What operators do to allowances while requests run. */
import { regimeOf } from "../../../src/limits/allowance.ts";
import { drawAllowance } from "./allowances.ts";
import type { AllowanceRow, Control } from "../model/control.ts";
import type { Random } from "../world/random.ts";

const MINUTE_MS = 60_000;
const LONGEST_WINDOW_MS = 32 * 86_400_000;

const acts = [
  "raise",
  "raise",
  "lower",
  "lower",
  "block",
  "disable",
  "enable",
  "override",
  "mode",
  "policy",
  "add",
] as const;

/** Changes one allowance. Returns its id, and what was done. */
export function changeSomething(control: Control, random: Random, nowMs: number): { id: string; what: string } {
  const row = random.pick(control.allowances);
  const what = random.pick(acts);
  switch (what) {
    case "raise":
      setLimit(control, row, row.limit_amount * 2n + 1n);
      break;
    case "lower":
      setLimit(control, row, row.limit_amount / 3n);
      break;
    case "block":
      setLimit(control, row, 0n);
      break;
    case "disable":
      control.change(row.id, { disabled_at_ms: nowMs });
      break;
    case "enable":
      control.change(row.id, { disabled_at_ms: null });
      break;
    case "mode":
      control.change(row.id, { mode: random.pick(["enforce", "soft", "shadow"]) });
      break;
    case "policy":
      control.change(row.id, { policy: random.pick(["expected", "strict"]) });
      break;
    case "add":
      control.add(drawAllowance(random, `allowance-${control.allowances.length}`, row.time_zone));
      break;
    case "override":
      override(control, random, row, nowMs);
      break;
  }
  return { id: row.id, what };
}

/** For the present window, and perhaps the next. Budgets in calendar windows have them, one at a time. */
function override(control: Control, random: Random, row: AllowanceRow, nowMs: number): void {
  const isBudget = regimeOf(row.meter, row.window_kind) === "budget" && row.window_kind !== "lifetime";
  if (!isBudget || control.overridesOf(row.id).length > 0) return;
  control.override({
    id: `override-${row.id}`,
    allowance_id: row.id,
    from_ms: nowMs - LONGEST_WINDOW_MS,
    until_ms: nowMs + random.pick([1, MINUTE_MS]),
    limit_amount: random.chance(0.7) ? row.limit_amount * 3n : row.limit_amount / 3n,
    created_at_ms: nowMs,
    revoked_at_ms: null,
  });
}

function setLimit(control: Control, row: AllowanceRow, limit: bigint): void {
  const burst = row.burst_amount !== null && row.burst_amount > limit ? limit : row.burst_amount;
  control.change(row.id, { limit_amount: limit, burst_amount: burst });
}
