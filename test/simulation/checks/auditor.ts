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
import { checkCountedOnce } from "./call-checks.ts";
import { checkWindows } from "./holding-checks.ts";
import { Holdings } from "./holdings.ts";
import { chargedOf, grows, isLenient, pathOf, type PathEntry } from "./path.ts";
import { RefusalChecks, type RefusalRules } from "./refusal-checks.ts";
import { RefusalCounts } from "./refusal-counts.ts";
import { describeThrown } from "../../support/seeds/violation.ts";
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
  readonly holdings: Holdings;
  readonly #world: AuditedWorld;
  readonly #draws = new DrawChecks();
  readonly #concurrency: ConcurrencyChecks;
  readonly #refusals: RefusalChecks;
  readonly #counts: RefusalCounts;
  #bank: ModelBank | null = null;

  constructor(world: AuditedWorld) {
    this.#world = world;
    this.holdings = new Holdings(this.books, world.control);
    this.#counts = new RefusalCounts(world.control);
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

  asked(requestId: string, process: Witnessed, plan: RequestPlan, earlier: readonly Asked[]): Asked {
    const path = pathOf(process.allowances.ofTenant(plan.scope.payer.tenantId), plan.scope);
    const asked = {
      requestId,
      process,
      plan,
      path,
      earlier,
      askedAtMs: this.#world.nowMs(),
      askedAtBankMs: this.#watched.nowMs(),
    };
    this.#refusals.asked(asked);
    return asked;
  }

  reserved(asked: Asked, held: readonly HeldAmount[]): void {
    this.#refusals.answered(asked);
    this.#concurrency.admitted(asked, held, this.#watched);
    checkCountedOnce(asked, held, this.books, this.#world.control);
    this.holdings.hold(asked, held, ({ row }) => chargedOf(row, asked.path, asked.plan.estimate, null));
    checkWindows(asked, held, this.#watched, this.#world.control);
  }

  /** `grown`: by how much it has grown in all. */
  grew(asked: Asked, held: readonly HeldAmount[], grown: Demand): void {
    this.holdings.hold(asked, held, ({ row }) => chargedOf(row, asked.path, asked.plan.estimate, grown));
  }

  /** Its reservation is not there at once. */
  waits({ requestId, path }: Asked): void {
    if (isLenient(path)) throw new Violation("lenient", `${requestId} waits, though no allowance on its path refuses`);
  }

  refused(asked: Asked, thrown: unknown): void {
    const refusal = toRefusal(thrown);
    this.#checkLenient(asked.requestId, asked.path, refusal);
    this.#refusals.refused(asked, refusal);
    this.#count(asked, refusal);
  }

  /** More was refused to its answer. */
  growthRefused(asked: Asked, thrown: unknown): void {
    const refusal = toRefusal(thrown);
    const { process, plan } = asked;
    const now = pathOf(process.allowances.ofTenant(plan.scope.payer.tenantId), plan.scope);
    const growing = [...asked.path, ...now].filter(({ row }) => grows(row));
    this.#checkLenient(asked.requestId, growing, refusal);
    this.#count(asked, refusal);
  }

  /** An allowance that does not refuse would have. */
  passed(allowanceId: string, subject: string): void {
    this.#counts.passed(`${allowanceId}|${subject}|`);
  }

  previewFailed(thrown: unknown): void {
    this.#refusals.unanswered("a preview", toRefusal(thrown));
  }

  /** `held`: at the end, with what it had been granted so late that it could not use it. */
  settled(asked: Asked, used: Demand | null, held: readonly HeldAmount[], moves: readonly Move[]): void {
    this.holdings.settled(asked, used, held, moves);
    this.#concurrency.ended(asked);
  }

  /** Its process has died. `journaled`: what the journal says that it holds; `null` if it knows nothing of it. */
  orphaned(asked: Asked, journaled: readonly HeldAmount[] | null): void {
    this.holdings.orphaned(asked, journaled);
    this.died(asked);
    if (journaled === null) this.#concurrency.accounted(asked.requestId);
  }

  /** Its process has died; what it holds or has settled stays what it is. */
  died(asked: Asked): void {
    this.#refusals.answered(asked);
    this.#concurrency.ended(asked);
  }

  delivered(closing: Closing): void {
    const charged = { ...closing, moves: this.holdings.chargedOf(closing) };
    this.books.deliver(charged);
    this.#concurrency.accounted(closing.requestId);
    this.#draws.settled(charged.moves, this.#watched.accounts);
  }

  /** Every process has stopped. */
  checkCounts(): void {
    this.#counts.check(this.#watched.accounts.values(), this.#world.rules.calm);
  }

  /** After every event. */
  check(): void {
    this.#refusals.check();
    const { touched } = this.books;
    if (touched.size === 0) return;
    const bank = this.#watched;
    for (const accountId of touched) {
      const account = bank.accounts.get(accountId);
      const wasLenient = this.#world.control.wasLenient(accountId.slice(0, accountId.indexOf("|")));
      if (account === undefined) {
        checkUnopened(accountId, this.books, wasLenient);
        continue;
      }
      if (!wasLenient) this.#draws.check(account);
      this.#concurrency.checkBound(account);
      checkAccount(account, this.books, wasLenient);
      checkLimit(account, this.#world.control, bank.nowMs());
      this.#refusals.note(account, bank);
    }
    touched.clear();
  }

  #count({ requestId, path, earlier }: Asked, { allowance }: HeadgateError): void {
    const entry = path.find(({ row }) => row.name === allowance);
    if (entry !== undefined) this.#counts.refused(earlier[0]?.requestId ?? requestId, entry.prefix);
  }

  /** A process that stops takes no requests at all. */
  #checkLenient(requestId: string, path: readonly PathEntry[], { code, message }: HeadgateError): void {
    if (code === "shutting_down" || !isLenient(path)) return;
    throw new Violation("lenient", `${requestId} is refused with ${code} (${message})`);
  }

  get #watched(): ModelBank {
    if (this.#bank === null) throw new Error("The auditor has been shown no bank.");
    return this.#bank;
  }
}

function toRefusal(thrown: unknown): HeadgateError {
  if (thrown instanceof Violation) throw thrown;
  if (thrown instanceof HeadgateError && thrown.code !== "internal") return thrown;
  throw new Violation("crash", describeThrown(thrown));
}
