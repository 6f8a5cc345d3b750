/**
 * How much room allowances had at each recent moment, to judge refusals by: one is right if at some moment while the
 * request was asking, or shortly before, less could be drawn than it and those that asked with it needed; and what others
 * have in hand counts as room as far as it was there, unused, all the time.
 */
import type { ModelAccount } from "../model/bank.ts";

export interface Moment {
  readonly atMs: number;
  /** What could be drawn from the account. */
  readonly free: bigint;
  /** By process: what it has in hand and does not use. */
  readonly idle: ReadonlyMap<string, bigint>;
  /** What all requests that wait needed together. */
  readonly asked: bigint;
  /** Of a rate: no more than this comes back, for what has leaked already does not come back once more. */
  readonly most: bigint | null;
}

/** Longer ago than anybody looks back. */
const KEPT_MS = 70_000;

export class RoomLog {
  /** By the prefix of the accounts' ids: one window goes on where the last one ended. */
  readonly #moments = new Map<string, Moment[]>();

  note(prefix: string, moment: Moment): void {
    const moments = this.#moments.getOrInsertComputed(prefix, () => []);
    const last = moments.at(-1);
    if (last?.free === moment.free && last.asked === moment.asked && last.idle === moment.idle) return;
    moments.push(moment);
    while ((moments[1]?.atMs ?? Infinity) < moment.atMs - KEPT_MS) moments.shift();
  }

  /**
   * The least that others left, since `sinceMs`, for a request that needs `need` and has been asking since `askedAtMs`.
   * As soon as that is too little it is answer enough. `null`: there was no such account.
   */
  leastFor(prefix: string, need: bigint, askedAtMs: number, sinceMs: number): bigint | null {
    const moments = this.#moments.get(prefix) ?? [];
    let least: bigint | null = null;
    let idle: ReadonlyMap<string, bigint> | null = null;
    for (let index = moments.length - 1; index >= 0; index--) {
      const moment = moments[index]!;
      idle = idle === null ? moment.idle : leastOf(idle, moment.idle);
      const others = moment.asked - (moment.atMs >= askedAtMs ? need : 0n);
      const room = moment.free + idle.values().reduce((sum, amount) => sum + amount, 0n);
      const left = (moment.most !== null && room > moment.most ? moment.most : room) - others;
      if (least === null || left < least) least = left;
      if (least < need || moment.atMs <= sinceMs) break;
    }
    return least;
  }
}

/** What could be drawn now. Reckoned once more, independently of src/storage/escrow. */
export function freeOf({ state }: ModelAccount, bankMs: number): bigint {
  const { limit, spent, granted, suspense, drain, drainedAtMs } = state;
  const level = spent + granted + suspense;
  if (drain === null) return limit - level;
  const drained = (BigInt(Math.max(0, bankMs - drainedAtMs)) * drain.amount) / BigInt(drain.perMs);
  return drained >= level ? limit : limit - level + drained;
}

function leastOf(one: ReadonlyMap<string, bigint>, other: ReadonlyMap<string, bigint>): ReadonlyMap<string, bigint> {
  const least = new Map<string, bigint>();
  for (const [who, amount] of one) {
    const then = other.get(who) ?? 0n;
    least.set(who, then < amount ? then : amount);
  }
  return least;
}
