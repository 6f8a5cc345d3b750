import type { RetriesConfig } from "../../config/config.ts";

/**
 * How long to wait before a target is called again after its `failures`th failure: drawn between 0 and a bound that
 * doubles (full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/), and not less than
 * the provider asked for. `random`: uniform in [0, 1).
 */
export function backoffMs(
  { backoffMs: base, backoffMaxMs }: RetriesConfig,
  failures: number,
  retryAfterMs: number | null,
  random: () => number,
): number {
  const bound = Math.min(backoffMaxMs, base * 2 ** (failures - 1));
  return Math.max(random() * bound, retryAfterMs ?? 0);
}
