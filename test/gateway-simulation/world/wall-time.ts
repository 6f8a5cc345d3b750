/** Wall-clock time of a simulated world: it runs with the agenda's, and is set at times, forwards or back. */
import type { Random } from "../../simulation/world/random.ts";

export interface WallJump {
  readonly atMs: number;
  /** Below zero: back. */
  readonly byMs: number;
}

export interface WallTime {
  /** At the beginning of the world. */
  readonly originMs: number;
  readonly jumps: readonly WallJump[];
}

const HOUR_MS = 3_600_000;

/** Mostly it is not set at all; never by so much that keys of idempotency are forgotten. */
export function drawWallTime(random: Random, originMs: number, lastsMs: number): WallTime {
  const count = random.chance(0.75) ? 0 : random.between(1, 2);
  const jumps = Array.from({ length: count }, () => ({
    atMs: random.unit() * lastsMs,
    byMs: random.skewed(500, 8 * HOUR_MS) * (random.chance(0.5) ? 1 : -1),
  }));
  return { originMs, jumps };
}

/** In whole milliseconds since the epoch. `atMs`: since the world began. */
export function wallMsAt({ originMs, jumps }: WallTime, atMs: number): number {
  let wallMs = originMs + atMs;
  for (const jump of jumps) if (jump.atMs <= atMs) wallMs += jump.byMs;
  return Math.floor(wallMs);
}
