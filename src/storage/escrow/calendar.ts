/**
 * Calendar windows: minutes and hours as in UTC, days, weeks and months as in a time zone, weeks from Monday. They follow
 * each other without gap or overlap, also where clocks are changed: such a day has 23 or 25 hours.
 */
import type { AllowanceRow } from "./terms.ts";

export type CalendarWindow = Exclude<AllowanceRow["window_kind"], "lifetime">;

export interface WindowSpan {
  /** Ms since the epoch. */
  readonly startMs: number;
  /** Exclusive: the start of the next. */
  readonly endMs: number;
}

const lengthMs = { minute: 60_000, hour: 3_600_000 } as const;
const oneOf = { day: { days: 1 }, week: { weeks: 1 }, month: { months: 1 } } as const;

/** The window that `atMs` falls into. `timeZone` is an IANA name. */
export function windowAt(window: CalendarWindow, timeZone: string, atMs: number): WindowSpan {
  if (window === "minute" || window === "hour") {
    const startMs = Math.floor(atMs / lengthMs[window]) * lengthMs[window];
    return { startMs, endMs: startMs + lengthMs[window] };
  }
  const today = Temporal.Instant.fromEpochMilliseconds(Math.floor(atMs)).toZonedDateTimeISO(timeZone).toPlainDate();
  const first = firstDay(window, today);
  const next = first.add(oneOf[window]);
  return { startMs: midnightMs(first, timeZone), endMs: midnightMs(next, timeZone) };
}

function firstDay(window: "day" | "week" | "month", date: Temporal.PlainDate): Temporal.PlainDate {
  if (window === "day") return date;
  return window === "week" ? date.subtract({ days: date.dayOfWeek - 1 }) : date.with({ day: 1 });
}

/** The first instant of the day, where clocks skip midnight too. */
function midnightMs(date: Temporal.PlainDate, timeZone: string): number {
  return date.toZonedDateTime({ timeZone }).epochMilliseconds;
}
