import { HeadgateError } from "../../kernel/errors.ts";

/** Points in time as people write them: a duration back from now (or ahead of it), or a date. */
export type Moment = { readonly kind: "distance"; readonly ms: number } | { readonly kind: "at"; readonly ms: number };

const MS = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;
const YEARS_MAX_MS = 100 * 365 * MS.d;

export const momentNotation = "a duration (90m, 24h, 7d, 2w) or a date in UTC (2026-11-01 or 2026-11-01T12:00Z)";
export const durationNotation = "a duration such as 90m, 24h, 7d or 2w";

export function parseMoment(text: string): Moment | undefined {
  const distance = parseDistanceMs(text);
  if (distance !== undefined) return { kind: "distance", ms: distance };
  const at = parseDateMs(text);
  return at === undefined ? undefined : { kind: "at", ms: at };
}

/** Whole milliseconds of `7d`. */
export function parseDistanceMs(text: string): number | undefined {
  const match = /^([0-9]{1,6})([mhdw])$/.exec(text);
  if (match === null) return undefined;
  const ms = Number(match[1]) * MS[match[2] as keyof typeof MS];
  return ms > 0 && ms <= YEARS_MAX_MS ? ms : undefined;
}

export function inThePast(moment: Moment, nowMs: number): number {
  return moment.kind === "at" ? moment.ms : nowMs - moment.ms;
}

/** Of `--since` and `--until`; `null`: without an end. Throws `invalid_argument` for an end before the beginning. */
export function timeRange(
  { since, until }: { readonly since: Moment | null; readonly until: Moment | null },
  nowMs: number,
): { readonly fromMs: number | null; readonly toMs: number | null } {
  const fromMs = since === null ? null : inThePast(since, nowMs);
  const toMs = until === null ? null : inThePast(until, nowMs);
  if (fromMs !== null && toMs !== null && fromMs > toMs) {
    const [from, to] = [new Date(fromMs).toISOString(), new Date(toMs).toISOString()];
    const message = `--since (${from}) is after --until (${to}). Is it the other way round?`;
    throw new HeadgateError("invalid_argument", message, { param: "--since" });
  }
  return { fromMs, toMs };
}

export function inTheFuture(moment: Moment, nowMs: number): number {
  return moment.kind === "at" ? moment.ms : nowMs + moment.ms;
}

/** Only dates that exist: the 30th of February is refused, not moved to March. */
function parseDateMs(text: string): number | undefined {
  const match = /^(\d{4}-\d{2}-\d{2})(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2}))?$/.exec(text);
  const day = match?.[1];
  if (day === undefined) return undefined;
  const midnight = Date.parse(`${day}T00:00:00Z`);
  const exists = !Number.isNaN(midnight) && new Date(midnight).toISOString().startsWith(day);
  const ms = Date.parse(text);
  return exists && !Number.isNaN(ms) ? ms : undefined;
}
