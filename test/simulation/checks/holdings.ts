/**
 * Follows what each call holds, from its reservation to its closing, and books what of it must be covered by the grants
 * of its owner:
 *
 *   held ── grew ──▶ held ── shrank, freed ──▶ held ── settled ──▶ closed
 *     └───────────────────┴──────────────────────┴── its process dies: orphaned ──▶ recovered
 */
import type { Demand } from "../../../src/limits/limits.ts";
import type { HeldAmount, Move } from "../../../src/storage/escrow/bank.ts";
import type { Control } from "../model/control.ts";
import type { Closing } from "../model/ledger.ts";
import type { Asked } from "./asked.ts";
import type { Books } from "./books.ts";
import { isCarried } from "./call-checks.ts";
import { Excess } from "./excess.ts";
import { checkHeld, checkMoves, checkOwners, checkRecovered } from "./holding-checks.ts";
import { neededOf, type PathEntry, usedOf } from "./path.ts";

export class Holdings {
  readonly #books: Books;
  readonly #control: Control;
  readonly #excess = new Excess();
  /** What calls that are over, but not settled, have in hand. */
  readonly #freed = new Map<Asked, readonly HeldAmount[]>();
  /** Earlier calls, each with an account that counts the request because of a later one. */
  readonly #countedFor = new Set<string>();
  /** Of calls whose process has died. */
  readonly #journaled = new Map<string, readonly HeldAmount[]>();
  readonly #charged = new Map<string, readonly Move[]>();

  constructor(books: Books, control: Control) {
    this.#books = books;
    this.#control = control;
  }

  /** It holds so much now. `needOf`: how much of an allowance it must hold. */
  hold(asked: Asked, held: readonly HeldAmount[], needOf: (entry: PathEntry) => bigint): void {
    checkHeld(asked, held, (entry) => (isCarried(asked, entry, held) ? 0n : needOf(entry)), this.#control);
    const inHand = inHandOf(asked, held);
    checkOwners(asked, this.#books.heldBy(asked.requestId), inHand, this.#control);
    this.#books.hold(asked.requestId, inHand);
  }

  /** The call is over and another one follows: it holds what it used. Its journal does not know that yet. */
  shrank(asked: Asked, used: Demand | null, held: readonly HeldAmount[]): void {
    const needOf = ({ row }: PathEntry): bigint =>
      row.meter === "money" || row.meter === "tokens" ? usedOf(row, used) : neededOf(row, asked.plan.estimate);
    checkHeld(asked, held, (entry) => (isCarried(asked, entry, held) ? 0n : needOf(entry)), this.#control);
    const inHand = leastOf(this.#books.heldBy(asked.requestId), held);
    this.#freed.set(asked, inHand);
    this.#excess.ended(asked.requestId, inHand, held);
  }

  /** Its journal knows it: the rest is there for others. */
  freed(asked: Asked): void {
    this.#books.hold(asked.requestId, this.#freed.get(asked) ?? []);
  }

  /** `held`: at the end, with what it had been granted so late that it could not use it. */
  settled(asked: Asked, used: Demand | null, held: readonly HeldAmount[], moves: readonly Move[]): void {
    const { requestId } = asked;
    const freed = this.#freed.get(asked);
    const inHand = freed === undefined ? inHandOf(asked, held) : leastOf(freed, held);
    this.#freed.delete(asked);
    checkOwners(asked, this.#books.heldBy(requestId), inHand, this.#control);
    if (used !== null) this.#countFor(asked, inHand);
    const others = {
      excess: (each: HeldAmount) => this.#excess.ofOthers(requestId, each),
      isCounted: ({ prefix }: PathEntry) => this.#countedFor.has(`${requestId} ${prefix}`),
    };
    checkMoves({ asked, used, held: inHand, moves }, others, this.#control);
    const covering = inHand.map((each) => {
      const { taken, takenOn } = takenOf(each, moves);
      this.#excess.settled(requestId, each, takenOn);
      const left = each.amount - takenOn;
      return { ...each, amount: taken > left ? taken : left };
    });
    this.#books.hold(requestId, covering);
  }

  /** A provider saw it: the earlier calls by which the request counts do count it. Later calls are settled before. */
  #countFor(asked: Asked, held: readonly HeldAmount[]): void {
    for (const entry of asked.path) {
      if (!isCarried(asked, entry, held)) continue;
      for (const { requestId } of asked.earlier) this.#countedFor.add(`${requestId} ${entry.prefix}`);
    }
  }

  /** Its closing is committed to the journal, and its hold is there no more. */
  closed({ requestId, moves }: Closing): void {
    this.#books.settle(requestId, moves);
  }

  /** Its process has died. `journaled`: what the journal says that it holds; `null` if it knows nothing of it. */
  orphaned({ requestId }: Asked, journaled: readonly HeldAmount[] | null): void {
    this.#journaled.set(requestId, journaled ?? []);
    this.#books.hold(requestId, leastOf(this.#books.heldBy(requestId), journaled ?? []));
    this.#excess.died(requestId);
  }

  /** A journal has charged a dead process's call: all that it has, as an overdraft where that was in nobody's hand. */
  recovered({ requestId, moves }: Closing): void {
    checkRecovered(requestId, this.#journaled.get(requestId) ?? [], moves);
    const inHand = this.#books.heldBy(requestId);
    const charged = moves.map((move) => {
      const had = inHand.find((each) => isOf(each, move))?.amount ?? 0n;
      const beyond = move.fromGrant > had ? move.fromGrant - had : 0n;
      return { ...move, fromGrant: move.fromGrant - beyond, overdraft: move.overdraft + beyond };
    });
    this.#charged.set(requestId, charged);
    this.#books.settle(requestId, charged);
  }

  /** What a closing takes; of a call whose process died, with what was in nobody's hand as an overdraft. */
  chargedOf({ requestId, moves }: Closing): readonly Move[] {
    return this.#charged.get(requestId) ?? moves;
  }
}

/** The journal has slices only, also where more is held: the worst case of allowances of policy `strict`. */
function inHandOf({ path, plan }: Asked, held: readonly HeldAmount[]): readonly HeldAmount[] {
  return held.map((each) => {
    const row = path.find(({ prefix }) => each.accountId.startsWith(prefix))?.row;
    const most = row?.policy === "strict" ? neededOf(row, plan.estimate) : 0n;
    return most > each.amount ? { ...each, amount: most } : each;
  });
}

/** What it had, as far as it has it still. */
function leastOf(before: readonly HeldAmount[], now: readonly HeldAmount[]): readonly HeldAmount[] {
  return now.map((each) => {
    const had = before.find((other) => isOf(other, each));
    return had !== undefined && had.amount < each.amount ? had : each;
  });
}

/** Until its closing is committed, the journal has a settled call as held, with what it took beyond that besides. */
function takenOf(held: HeldAmount, moves: readonly Move[]): { readonly taken: bigint; readonly takenOn: bigint } {
  const move = moves.find((each) => isOf(held, each));
  if (move === undefined) return { taken: 0n, takenOn: 0n };
  const used = move.fromGrant + move.overdraft;
  const own = used > held.amount ? used - held.amount : 0n;
  return { taken: move.fromGrant, takenOn: move.overdraft > own ? move.overdraft - own : 0n };
}

function isOf(
  one: Pick<HeldAmount, "ownerId" | "accountId">,
  other: Pick<HeldAmount, "ownerId" | "accountId">,
): boolean {
  return one.ownerId === other.ownerId && one.accountId === other.accountId;
}
