/**
 * Judges a world: it is told what every process, the bank and the ledger do, keeps books of its own about it, and after
 * every event checks the accounts that the event touched. It throws a `Violation`.
 */
import { HeadgateError } from "../../../src/kernel/errors.ts";
import type { Demand } from "../../../src/limits/limits.ts";
import type { HeldAmount, Move } from "../../../src/storage/escrow/bank.ts";
import type { BankWitness, ModelBank } from "../model/bank.ts";
import type { Control } from "../model/control.ts";
import type { Closing } from "../model/ledger.ts";
import type { RequestPlan } from "../scenario/requests.ts";
import { checkAccount, checkLimit, checkUnopened } from "./account-checks.ts";
import type { Asked, Witnessed } from "./asked.ts";
import { Books } from "./books.ts";
import { ConcurrencyChecks } from "./concurrency-checks.ts";
import { DrawChecks } from "./draw-checks.ts";
import { checkHeld, checkMoves, checkOwners, checkRecovered, checkWindows } from "./holding-checks.ts";
import { chargedOf, neededOf, pathOf, type PathEntry } from "./path.ts";
import { RefusalChecks, type RefusalRules } from "./refusal-checks.ts";
import { Violation } from "./violation.ts";

export interface AuditedWorld {
  readonly control: Control;
  readonly rules: RefusalRules;
  /** The bank's clock jumps now and then. */
  readonly bankJumps: boolean;
  readonly nowMs: () => number;
}

export class Auditor {
  readonly books: Books = new Books();
  readonly #world: AuditedWorld;
  readonly #draws = new DrawChecks();
  readonly #concurrency: ConcurrencyChecks;
  readonly #refusals: RefusalChecks;
  #bank: ModelBank | null = null;

  constructor(world: AuditedWorld) {
    this.#world = world;
    this.#concurrency = new ConcurrencyChecks(world.control, this.#draws, world.bankJumps);
    this.#refusals = new RefusalChecks({ ...world, books: this.books, slots: this.#concurrency.slots });
  }

  readonly witness: BankWitness = {
    changed: ({ key }) => void this.books.touched.add(key.accountId),
    drew: (account, before, granted, nowMs) => this.#draws.drew(account, before, granted, nowMs),
    released: (account, amount) => this.#draws.released(account, amount),
    fenced: (instanceId) => this.#concurrency.fenced(instanceId),
  };

  /** Before anything happens. */
  watch(bank: ModelBank): void {
    this.#bank = bank;
  }

  /** From now on every process is in touch with the bank. */
  heal(): void {
    this.#refusals.heal();
  }

  /** Requests whose reservation is not decided. */
  get waiting(): number {
    return this.#refusals.waiting;
  }

  asked(requestId: string, process: Witnessed, plan: RequestPlan): Asked {
    const path = pathOf(process.allowances.ofTenant(plan.scope.payer.tenantId), plan.scope);
    const asked = {
      requestId,
      process,
      plan,
      path,
      askedAtMs: this.#world.nowMs(),
      askedAtBankMs: this.#watched.nowMs(),
    };
    this.#refusals.asked(asked);
    return asked;
  }

  reserved(asked: Asked, held: readonly HeldAmount[]): void {
    this.#refusals.answered(asked);
    this.#concurrency.admitted(asked, held, this.#watched);
    this.#hold(asked, held, ({ row }) => chargedOf(row, asked.path, asked.plan.estimate, null));
    checkWindows(asked, held, this.#watched);
  }

  /** `grown`: by how much it has grown in all. */
  grew(asked: Asked, held: readonly HeldAmount[], grown: Demand): void {
    this.#hold(asked, held, ({ row }) => chargedOf(row, asked.path, asked.plan.estimate, grown));
  }

  refused(asked: Asked, thrown: unknown): void {
    this.#refusals.refused(asked, toRefusal(thrown));
  }

  previewFailed(thrown: unknown): void {
    this.#refusals.unanswered("a preview", toRefusal(thrown));
  }

  /** `held`: at the end, with what it had been granted so late that it could not use it. */
  settled(asked: Asked, used: Demand | null, held: readonly HeldAmount[], moves: readonly Move[]): void {
    const inHand = inHandOf(asked, held);
    checkOwners(asked, this.books.heldBy(asked.requestId), inHand);
    checkMoves(asked, used, inHand, moves);
    this.books.hold(asked.requestId, covering(inHand, moves));
    this.#concurrency.ended(asked);
  }

  /** Its closing is committed to the journal, and its hold is there no more. */
  closed({ requestId, moves }: Closing): void {
    this.books.settle(requestId, moves);
  }

  /** Its process has died. `journaled`: what the journal says that it holds; `null` if it knows nothing of it. */
  orphaned(asked: Asked, journaled: readonly HeldAmount[] | null): void {
    this.books.hold(asked.requestId, journaled ?? []);
    this.died(asked);
  }

  /** Its process has died; what it holds or has settled stays what it is. */
  died(asked: Asked): void {
    this.#refusals.answered(asked);
    this.#concurrency.ended(asked);
  }

  /** A journal has charged a dead process's request. */
  recovered({ requestId, moves }: Closing): void {
    checkRecovered(requestId, this.books.heldBy(requestId), moves);
    this.books.settle(requestId, moves);
  }

  delivered(closing: Closing): void {
    this.books.deliver(closing);
    this.#draws.settled(closing.moves, this.#watched.accounts);
  }

  /** After every event. */
  check(): void {
    this.#refusals.check();
    const { touched } = this.books;
    if (touched.size === 0) return;
    const bank = this.#watched;
    for (const accountId of touched) {
      const account = bank.accounts.get(accountId);
      if (account === undefined) {
        checkUnopened(accountId, this.books);
        continue;
      }
      this.#draws.check(account);
      this.#concurrency.checkBound(account);
      checkAccount(account, this.books);
      checkLimit(account, this.#world.control, bank.nowMs());
      this.#refusals.note(account, bank);
    }
    touched.clear();
  }

  #hold(asked: Asked, held: readonly HeldAmount[], needOf: (entry: PathEntry) => bigint): void {
    checkHeld(asked, held, needOf, this.#world.control);
    const inHand = inHandOf(asked, held);
    checkOwners(asked, this.books.heldBy(asked.requestId), inHand);
    this.books.hold(asked.requestId, inHand);
  }

  get #watched(): ModelBank {
    if (this.#bank === null) throw new Error("The auditor has been shown no bank.");
    return this.#bank;
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

/** Until its closing is committed, the journal has a settled request as held, with what it took beyond that besides. */
function covering(held: readonly HeldAmount[], moves: readonly Move[]): readonly HeldAmount[] {
  return held.map((each) => {
    const move = moves.find(({ ownerId, accountId }) => ownerId === each.ownerId && accountId === each.accountId);
    return move !== undefined && move.fromGrant > each.amount ? { ...each, amount: move.fromGrant } : each;
  });
}

function toRefusal(thrown: unknown): HeadgateError {
  if (thrown instanceof Violation) throw thrown;
  if (thrown instanceof HeadgateError && thrown.code !== "internal") return thrown;
  throw new Violation("crash", describe(thrown));
}

export function describe(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const cause = thrown.cause === undefined ? "" : ` because of ${describe(thrown.cause)}`;
  return `${thrown.stack ?? thrown.message}${cause}`;
}
