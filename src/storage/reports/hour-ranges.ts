/**
 * A time as its whole hours, of which there are sums, and what lies before the first and after the last of them.
 *
 *   from ──edge──┤ first whole hour ────── last whole hour ├──edge── to
 */
import { HOUR_MS } from "../usage-hours.ts";

export interface TimeRange {
  /** Included; `null`: from the beginning. */
  readonly fromMs: number | null;
  /** Excluded; `null`: to the end. */
  readonly toMs: number | null;
}

export interface HourRanges {
  /** `null`: it has none. */
  readonly wholeHours: TimeRange | null;
  /** Together with the hours they are all of it, without overlap. */
  readonly edges: readonly TimeRange[];
}

export function splitByHours({ fromMs, toMs }: TimeRange): HourRanges {
  const firstHourMs = fromMs === null ? null : Math.ceil(fromMs / HOUR_MS) * HOUR_MS;
  const endHourMs = toMs === null ? null : Math.floor(toMs / HOUR_MS) * HOUR_MS;
  if (firstHourMs !== null && endHourMs !== null && firstHourMs >= endHourMs) {
    return { wholeHours: null, edges: [{ fromMs, toMs }] };
  }
  const edges: TimeRange[] = [];
  if (fromMs !== firstHourMs) edges.push({ fromMs, toMs: firstHourMs });
  if (toMs !== endHourMs) edges.push({ fromMs: endHourMs, toMs });
  return { wholeHours: { fromMs: firstHourMs, toMs: endHourMs }, edges };
}
