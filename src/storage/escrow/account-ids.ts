/**
 * What the id of an account says: `allowanceId|subject|windowStartMs`, as processes make it. A subject may contain
 * anything, the other two no `|`.
 */
import type { AccountKey } from "./bank.ts";
import { windowAt } from "./calendar.ts";
import { type AllowanceRow, isRate } from "./terms.ts";

/** Calendars reach a little further, in both directions. */
const CALENDAR_MS = 8e15;

export function allowanceIdOf(accountId: string): string {
  return accountId.slice(0, Math.max(0, accountId.indexOf("|")));
}

/** The account of that id. `null`: the allowance has none such, because no window of it begins then. */
export function accountKeyOf(accountId: string, allowance: AllowanceRow): AccountKey | null {
  const subjectAt = allowance.id.length + 1;
  const windowAtText = accountId.lastIndexOf("|") + 1;
  const windowText = accountId.slice(windowAtText);
  const windowStartMs = Number(windowText);
  if (windowAtText <= subjectAt || String(windowStartMs) !== windowText) return null;
  const windowEndMs = endOfWindow(allowance, windowStartMs);
  if (windowEndMs === undefined) return null;
  const subject = accountId.slice(subjectAt, windowAtText - 1);
  return { accountId, allowanceId: allowance.id, subject, windowStartMs, windowEndMs };
}

/** `undefined`: none begins at `startMs`. */
function endOfWindow(allowance: AllowanceRow, startMs: number): number | null | undefined {
  const { window_kind: window, meter, time_zone: timeZone } = allowance;
  if (window === "lifetime" || meter === "slots" || isRate(allowance)) return startMs === 0 ? null : undefined;
  if (!(Math.abs(startMs) < CALENDAR_MS)) return undefined;
  const span = windowAt(window, timeZone, startMs);
  return span.startMs === startMs ? span.endMs : undefined;
}
