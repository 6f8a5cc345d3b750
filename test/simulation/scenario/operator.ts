/** What operators do to allowances while requests run. */
import type { AllowanceRow, Control } from "../model/control.ts";
import type { Random } from "../world/random.ts";

const DAY_MS = 86_400_000;

/** Changes one allowance. Returns its id, and what was done. */
export function changeSomething(control: Control, random: Random, nowMs: number): { id: string; what: string } {
  const row = random.pick(control.allowances);
  const what = random.pick([
    "raise",
    "raise",
    "lower",
    "lower",
    "block",
    "disable",
    "enable",
    "override",
    "mode",
  ] as const);
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
    case "override":
      control.override({
        id: `override-${nowMs}`,
        allowance_id: row.id,
        from_ms: nowMs - DAY_MS,
        until_ms: nowMs + DAY_MS,
        limit_amount: row.limit_amount * 3n,
        created_at_ms: nowMs,
        revoked_at_ms: null,
      });
      break;
  }
  return { id: row.id, what };
}

function setLimit(control: Control, row: AllowanceRow, limit: bigint): void {
  const burst = row.burst_amount !== null && row.burst_amount > limit ? limit : row.burst_amount;
  control.change(row.id, { limit_amount: limit, burst_amount: burst });
}
