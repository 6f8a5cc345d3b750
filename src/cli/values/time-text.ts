/** Times as people and scripts read them. All are UTC. */

/** `2026-11-21 07:34`, for tables. */
export function formatMinute(ms: number): string {
  return new Date(ms).toISOString().slice(0, 16).replace("T", " ");
}

/** `2026-11-21 07:34:05.123`, for tables of single events. */
export function formatInstant(ms: number): string {
  return new Date(ms).toISOString().slice(0, 23).replace("T", " ");
}

/** ISO 8601 with milliseconds and `Z`, for JSON. */
export function isoTime(ms: number): string;
export function isoTime(ms: number | null): string | null;
export function isoTime(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

/** `1.24 s`, `12 ms`: three figures are enough for a person. */
export function formatMicroseconds(us: number | null): string {
  if (us === null) return "-";
  if (us < 1000) return `${us} µs`;
  const ms = us / 1000;
  return ms < 1000 ? `${ms.toFixed(ms < 10 ? 1 : 0)} ms` : `${(ms / 1000).toFixed(ms < 100_000 ? 2 : 0)} s`;
}
