import type { Scope } from "../../../storage/reports/scope.ts";
import type { UsageDimension } from "../../../storage/reports/usage-report.ts";
import type { Records } from "../../workspace.ts";

/** Included and excluded, ms since the epoch. */
export interface Period {
  readonly fromMs: number;
  readonly toMs: number;
}

const DAY_MS = 86_400_000;

/**
 * The time asked for, cut at the ends of UTC's days or months, so that no group has parts in two of them; uncut where
 * times are not told apart. From the first entry, where no beginning is given, to now.
 */
export async function exportPeriods(
  { db, clock }: Pick<Records, "db" | "clock">,
  scope: Scope,
  by: readonly UsageDimension[],
): Promise<readonly Period[]> {
  const fromMs = scope.fromMs ?? (await firstHour(db));
  const toMs = scope.toMs ?? clock.wallMs() + 1;
  if (fromMs === null || fromMs >= toMs) return [];
  const byDay = by.includes("day") || by.includes("hour");
  if (!byDay && !by.includes("month")) return [{ fromMs, toMs }];
  const periods: Period[] = [];
  for (let startMs = fromMs; startMs < toMs;) {
    const endMs = Math.min(toMs, byDay ? nextDay(startMs) : nextMonth(startMs));
    periods.push({ fromMs: startMs, toMs: endMs });
    startMs = endMs;
  }
  return periods;
}

async function firstHour(db: Records["db"]): Promise<number | null> {
  const first = await db.selectFrom("usage_hours").select("hour_ms").orderBy("hour_ms").limit(1).executeTakeFirst();
  return first?.hour_ms ?? null;
}

function nextDay(ms: number): number {
  return (Math.floor(ms / DAY_MS) + 1) * DAY_MS;
}

/** Midnight UTC of the first of the month after. */
export function nextMonth(ms: number): number {
  const date = new Date(ms);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1);
}
