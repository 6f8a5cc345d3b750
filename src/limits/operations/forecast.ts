/** Where an account will stand at the end of its window if spending goes on as it has since the window's start. */
import type { Amount } from "../../storage/escrow/bank.ts";

export interface Forecast {
  /** Spent by the end of the window. `null`: it has no end, or it has only just begun. */
  readonly spentAtEnd: Amount | null;
  /** When the limit is reached, ms since the epoch: in the past if it has been. `null`: not within the window. */
  readonly runsOutAtMs: number | null;
}

export interface Course {
  readonly spent: Amount;
  readonly limit: Amount;
  readonly startMs: number;
  /** `null`: never. */
  readonly endMs: number | null;
}

/** Of a window, or of a lifetime, this much must have passed: what the first seconds cost says nothing about a month. */
const FORETOLD_FROM_SHARE = 50;
const FORETOLD_FROM_MS = 3_600_000;
/** Farther away nobody plans; also where dates end. */
const HORIZON_MS = 100 * 366 * 86_400_000;

export function forecast({ spent, limit, startMs, endMs }: Course, nowMs: number): Forecast {
  const elapsedMs = Math.floor(Math.min(nowMs, endMs ?? nowMs) - startMs);
  const enoughMs = endMs === null ? FORETOLD_FROM_MS : (endMs - startMs) / FORETOLD_FROM_SHARE;
  if (elapsedMs <= 0 || elapsedMs < enoughMs) return { spentAtEnd: null, runsOutAtMs: null };
  const elapsed = BigInt(elapsedMs);
  const spentAtEnd = endMs === null ? null : (spent * BigInt(endMs - startMs)) / elapsed;
  if (spent <= 0n) return { spentAtEnd, runsOutAtMs: null };
  const untilLimitMs = (limit * elapsed) / spent;
  const withinMs = BigInt((endMs ?? startMs + HORIZON_MS) - startMs);
  return { spentAtEnd, runsOutAtMs: untilLimitMs < withinMs ? startMs + Number(untilLimitMs) : null };
}
