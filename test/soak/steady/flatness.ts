/**
 * Whether a measure stays flat: its middle value in the last third of the samples against that in the first third. What
 * leaks grows with the requests, whatever it is per request; what is warm is warm in the first third already.
 */

export interface Bound {
  /** Share of the first third's value by which the last third's may be larger. */
  readonly share: number;
  /** And so much besides. */
  readonly slack: number;
}

export interface Flatness {
  readonly first: number;
  readonly last: number;
  /** The most that `last` may be. */
  readonly most: number;
  readonly isFlat: boolean;
}

/** Of three samples or more, in the order in which they were taken. */
export function flatnessOf(samples: readonly number[], { share, slack }: Bound): Flatness {
  const third = Math.floor(samples.length / 3);
  if (third === 0) throw new Error(`${samples.length} samples have no thirds.`);
  const first = medianOf(samples.slice(0, third));
  const last = medianOf(samples.slice(-third));
  const most = first * (1 + share) + slack;
  return { first, last, most, isFlat: last <= most };
}

/** The lower one of two in the middle. */
function medianOf(samples: readonly number[]): number {
  const sorted = samples.toSorted((one, other) => one - other);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}
