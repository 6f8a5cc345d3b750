/** Overrides as lists and scripts show them. */
import type { Allowance } from "../../../limits/allowance.ts";
import { decimalAmount, formatAmount, unitOf } from "../../../limits/amount-text.ts";
import type { Override } from "../../../limits/operations/overrides.ts";
import { formatMinute, isoTime } from "../../values/time-text.ts";

export function describeOverride(
  override: Override,
  { id, name, meter }: Pick<Allowance, "id" | "name" | "meter">,
): Readonly<Record<string, unknown>> {
  return {
    id: override.id,
    allowance: { id, name },
    from: isoTime(override.fromMs),
    until: isoTime(override.untilMs),
    unit: unitOf(meter),
    limit: decimalAmount(meter, override.limit),
    createdAt: isoTime(override.createdAtMs),
    revokedAt: isoTime(override.revokedAtMs),
  };
}

/** `$200.00 from 2026-12-01 00:00 to 2027-01-01 00:00 UTC` */
export function renderOverride({ limit, fromMs, untilMs }: Override, { meter }: Pick<Allowance, "meter">): string {
  return `${formatAmount(meter, limit)} from ${formatMinute(fromMs)} to ${formatMinute(untilMs)} UTC`;
}
