/**
 * How much room allowances had at each recent moment, to judge refusals by: one is right if at some moment while the
 * request was asking, or shortly before, there was less than it and those that asked with it needed.
 */
import { available, drain } from "../../../src/storage/escrow/account.ts";
import type { ModelAccount } from "../model/bank.ts";
import type { Position } from "./books.ts";

interface Moment {
  readonly atMs: number;
  readonly room: bigint;
  /** What all requests that waited then needed together. */
  readonly asked: bigint;
}

/** Longer ago than anybody looks back. */
const KEPT_MS = 70_000;

export class RoomLog {
  /** By the prefix of the accounts' ids: one window goes on where the last one ended. */
  readonly #moments = new Map<string, Moment[]>();

  note(prefix: string, moment: Moment): void {
    const moments = this.#moments.getOrInsertComputed(prefix, () => []);
    const last = moments.at(-1);
    if (last?.room === moment.room && last.asked === moment.asked) return;
    moments.push(moment);
    while ((moments[1]?.atMs ?? Infinity) < moment.atMs - KEPT_MS) moments.shift();
  }

  /** The least since then that the others left for a request that needs `need`, asking since `askedAtMs`. */
  leastFor(prefix: string, need: bigint, askedAtMs: number, sinceMs: number): bigint | null {
    const moments = this.#moments.get(prefix) ?? [];
    let least: bigint | null = null;
    for (let index = moments.length - 1; index >= 0; index--) {
      const { atMs, room, asked } = moments[index]!;
      const left = room - asked + (atMs >= askedAtMs ? need : 0n);
      if (least === null || left < least) least = left;
      if (atMs <= sinceMs) break;
    }
    return least;
  }
}

/** What could be drawn now. */
export function freeOf({ state }: ModelAccount, bankMs: number): bigint {
  return available(drain(state, bankMs));
}

/** What could be drawn if all processes gave back what they do not use: all but what requests hold and have used. */
export function idleOf(
  { state: before }: ModelAccount,
  bankMs: number,
  positions: Iterable<Position>,
  running: bigint,
): bigint {
  const state = drain(before, bankMs);
  let room = available(state) + state.granted - running;
  for (const { held, undelivered } of positions) room -= held + undelivered;
  // Of a rate, what has leaked already does not come back once more.
  return state.drain !== null && room > state.limit ? state.limit : room;
}
