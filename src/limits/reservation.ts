/**
 * What a request holds: an amount of each allowance on its path, under the owner that drew them.
 *
 *   held ── extend, shrink ──▶ held ── settle ──▶ settled ── committed ──▶ committed
 *
 * Invariants: it settles once, in the windows and under the owner that it was reserved in, whatever has become of them.
 * What it held beyond what was used is free only when that is committed: until then the journal has it as held, and if the
 * process died would charge all of it. For the same reason its owner is not finished at the bank before. Slots are not
 * in the journal: they are free when it settles.
 */
import { assert } from "../kernel/assert.ts";
import { toNanoUsd, zeroUsd } from "../kernel/money.ts";
import type { Amount, HeldAmount, Move } from "../storage/escrow/bank.ts";
import type { Allowance } from "./allowance.ts";
import { Claim, type WaitingRoom } from "./escrow/claim.ts";
import type { Asker, Taker } from "./escrow/judge.ts";
import type { Purse } from "./escrow/purse.ts";
import type { Demand, RateStanding, Reservation } from "./limits.ts";
import type { Owner } from "./owner/owner.ts";
import { growthOf, isGrowing, usedOf } from "./path/amounts.ts";
import type { Path } from "./path/path.ts";
import { noRates, tightestRate } from "./rates.ts";

const nothingUsed: Demand = { costNanoUsd: zeroUsd, tokens: 0 };

/** What of a rate is held for longer has drained too much to be used again without asking. */
const HELD_LONG_MS = 1_000;

/** Of requests that no allowance limits. */
export const emptyReservation: Reservation = {
  heldAmounts: [],
  growing: false,
  strict: false,
  ...noRates,
  extend: () => null,
  shrink: () => [],
  shrunk: () => {},
  settle: () => [],
  committed: () => {},
};

/**
 * Settled: what is not used. `null`: nothing; or the account does not count it (`Purse.take`), or has counted the request
 * under another reservation, so nothing is held of it and nothing settled.
 */
export type HeldOf = Amount | null;

export interface Beginning {
  readonly expected: Demand;
  /** Monotonic. */
  readonly nowMs: number;
  /** The other reservations of the same request, together. `null`: this is the first. */
  readonly others: Asker | null;
  /** Those by which accounts count the request already, by the place of the account. `null`: none does. */
  readonly carriers: readonly (HeldReservation | null)[] | null;
}

/** All lists are in the order of the path's allowances. */
export class HeldReservation implements Reservation, Taker {
  readonly #path: Path;
  readonly #owner: Owner;
  readonly #room: WaitingRoom;
  readonly #purses: readonly Purse[];
  readonly #held: HeldOf[];
  readonly #sinceMs: number;
  readonly #others: Asker | null;
  readonly #carriers: Beginning["carriers"];
  /** Of the answer as far as it has grown. */
  #expected: Demand;
  #state: "held" | "settled" | "committed" = "held";
  #extension: Claim | null = null;
  /** What it holds no more, and is not free yet. */
  #spare: Amount[] | null = null;
  /** The accounts that have counted it as refused. `null`: none. */
  #countedAt: string[] | null = null;
  /** The accounts that count the request by this, of which a later call was seen by a provider. `null`: none. */
  #seenAt: string[] | null = null;

  /** Takes the amounts, which the purses must cover. The list of amounts is its own from then on. */
  constructor(
    path: Path,
    owner: Owner,
    room: WaitingRoom,
    purses: readonly Purse[],
    amounts: HeldOf[],
    { expected, nowMs, others, carriers }: Beginning,
  ) {
    this.#path = path;
    this.#owner = owner;
    this.#room = room;
    this.#purses = purses;
    this.#held = amounts;
    this.#expected = expected;
    this.#sinceMs = nowMs;
    this.#others = others;
    this.#carriers = carriers;
    owner.openCount++;
    let at = 0;
    for (const purse of purses) {
      const amount = amounts[at] ?? null;
      if (amount !== null) amounts[at] = purse.take(amount, this);
      at++;
    }
  }

  get heldAmounts(): readonly HeldAmount[] {
    const amounts: HeldAmount[] = [];
    let at = 0;
    for (const { account, regime } of this.#purses) {
      const held = this.#held[at] ?? null;
      const allowance = this.#path.allowances[at++];
      if (held === null || allowance === undefined || regime === "slots") continue;
      const amount = this.#chargedOf(allowance, held);
      if (amount === 0n) continue;
      amounts.push({ ownerId: this.#owner.id, accountId: account.accountId, amount });
    }
    return amounts;
  }

  get growing(): boolean {
    return this.#path.growing;
  }

  get strict(): boolean {
    return this.#path.strict;
  }

  get requestRate(): RateStanding | null {
    return tightestRate(this.#purses, "requests");
  }

  get tokenRate(): RateStanding | null {
    return tightestRate(this.#purses, "tokens");
  }

  extend(more: Demand): Promise<void> | null {
    assert(this.#state === "held", "only what is held can grow");
    assert(this.#extension?.isWaiting !== true, "a reservation grows by one extension at a time");
    const nowMs = this.#owner.nowMs();
    const amounts = this.#path.allowances.map((allowance, index) =>
      this.#held[index] === null ? 0n : growthOf(allowance, more),
    );
    if (this.#mayBeRefused(amounts)) this.#owner.assertExtensible(nowMs);
    const claim = new Claim(this.#room, this.#owner, this.#purses, amounts, this, nowMs);
    if (claim.attempt()) {
      this.#grow(amounts, more);
      return null;
    }
    this.#extension = claim;
    return claim.wait(() => {
      if (this.#state !== "held" || this.#extension !== claim) return;
      if (this.#mayBeRefused(amounts)) this.#owner.assertExtensible(this.#owner.nowMs());
      this.#grow(amounts, more);
    });
  }

  /** Whether the account counts the request, or gives it a slot, by this. */
  counts(accountId: string): boolean {
    const held = this.#held[this.#indexOf(accountId)];
    return held !== undefined && held !== null;
  }

  shrink(used: Demand | null): readonly HeldAmount[] {
    assert(this.#state === "held" && this.#spare === null, "a reservation shrinks once, before it is settled");
    const extension = this.#extension;
    this.#extension = null;
    extension?.cancel();
    this.#spare = this.#path.allowances.map((allowance, at) => {
      const held = this.#held[at] ?? null;
      if (held === null || (allowance.meter !== "money" && allowance.meter !== "tokens")) return 0n;
      const kept = usedOf(allowance, used);
      this.#held[at] = kept;
      if (kept <= held) return held - kept;
      this.#purses[at]?.hold(kept - held);
      return 0n;
    });
    if (used !== null) this.#expected = used;
    return this.heldAmounts;
  }

  shrunk(): void {
    const heldLong = this.#owner.nowMs() - this.#sinceMs >= HELD_LONG_MS;
    for (const [at, amount] of (this.#spare ?? []).entries()) {
      if (amount > 0n) this.#purses[at]?.release(amount, heldLong);
    }
    this.#spare = [];
  }

  settle(used: Demand | null): readonly Move[] {
    assert(this.#state === "held", "a reservation is settled once");
    this.#state = "settled";
    this.#extension?.cancel();
    const moves: Move[] = [];
    let at = -1;
    for (const allowance of this.#path.allowances) {
      const held = this.#held[++at] ?? null;
      const purse = this.#purses[at];
      if (purse === undefined) continue;
      const { accountId } = purse.account;
      if (held === null) {
        if (used !== null) this.#carriers?.[at]?.seenAt(accountId);
        continue;
      }
      if (purse.regime === "slots") {
        this.#held[at] = null;
        purse.release(held, false);
        continue;
      }
      const wasSeen = used === null && this.#seenAt?.includes(accountId) === true;
      const amount = usedOf(allowance, wasSeen ? nothingUsed : used);
      const fromGrant = purse.settle(held, amount);
      this.#held[at] = amount < held ? held - amount : null;
      if (amount === 0n) continue;
      moves.push({ ownerId: this.#owner.id, accountId, fromGrant, overdraft: amount - fromGrant });
    }
    return moves;
  }

  committed(): void {
    assert(this.#state !== "held", "what is committed is settled");
    if (this.#state === "committed") return;
    this.#state = "committed";
    this.#owner.openCount--;
    this.shrunk();
    const heldLong = this.#owner.nowMs() - this.#sinceMs >= HELD_LONG_MS;
    let at = 0;
    for (const purse of this.#purses) {
      const rest = this.#held[at++] ?? null;
      if (rest !== null) purse.release(rest, heldLong);
    }
  }

  heldOf(accountId: string): Amount {
    return this.#held[this.#indexOf(accountId)] ?? 0n;
  }

  get isOver(): boolean {
    return this.#state === "committed";
  }

  get request(): object {
    return this.#others?.request ?? this;
  }

  mayCountAt(accountId: string): boolean {
    return this.#others?.mayCountAt(accountId) ?? this.#countedAt?.includes(accountId) !== true;
  }

  countAt(accountId: string): boolean {
    if (this.#others !== null) return this.#others.countAt(accountId);
    if (!this.mayCountAt(accountId)) return false;
    this.#countedAt ??= [];
    this.#countedAt.push(accountId);
    return true;
  }

  forgo(accountId: string, amount: Amount): void {
    const index = this.#indexOf(accountId);
    const held = this.#held[index] ?? null;
    if (this.#state !== "held" || held === null) return;
    this.#held[index] = held > amount ? held - amount : null;
    // What was spared of it already is given back apart.
    this.#purses[index]?.release(held < amount ? held : amount, false);
  }

  /** A call of the request that relies on this one was seen by a provider. */
  seenAt(accountId: string): void {
    this.#seenAt ??= [];
    this.#seenAt.push(accountId);
  }

  #grow(amounts: readonly Amount[], more: Demand): void {
    const { costNanoUsd, tokens } = this.#expected;
    this.#expected = { costNanoUsd: toNanoUsd(costNanoUsd + more.costNanoUsd), tokens: tokens + more.tokens };
    for (const [index, purse] of this.#purses.entries()) {
      const held = this.#held[index] ?? null;
      if (held !== null) this.#held[index] = held + (purse.take(amounts[index] ?? 0n, this) ?? 0n);
    }
  }

  #mayBeRefused(amounts: readonly Amount[]): boolean {
    return this.#purses.some(({ refuses }, index) => refuses && amounts[index] !== 0n);
  }

  #indexOf(accountId: string): number {
    return this.#purses.findIndex(({ account }) => account.accountId === accountId);
  }

  /** Where the answer grows, what is held for the worst case is charged as far as it has grown. */
  #chargedOf(allowance: Allowance, held: Amount): Amount {
    if (!this.#path.growing || isGrowing(allowance)) return held;
    const expected = usedOf(allowance, this.#expected);
    return expected < held ? expected : held;
  }
}
