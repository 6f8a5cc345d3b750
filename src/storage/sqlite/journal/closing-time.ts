import type { Clock } from "../../../kernel/clock.ts";

/** The time that the end of a process may take: whoever then waits for somebody else has what is left of it. */
export interface ClosingTime {
  /** It runs from the first call on. */
  begin(): void;
  /** The whole of it until it has begun; in the end 0. */
  leftMs(): number;
}

/** So long a process that ends waits for other writers and for the shared database, in all. */
const CLOSING_MS = 5000;

export function createClosingTime(clock: Clock): ClosingTime {
  let untilMs: number | null = null;
  return {
    begin() {
      untilMs ??= clock.monotonicMs() + CLOSING_MS;
    },
    leftMs: () => (untilMs === null ? CLOSING_MS : Math.max(0, untilMs - clock.monotonicMs())),
  };
}
