/**
 * Makes `Limits`: finds a request's path (path/), and reserves over the purses of the present owner at the bank (escrow/).
 *
 * Invariant: between the check that every purse has its amount and the taking there is nothing that waits. A request for
 * which all is in hand costs comparisons and subtractions; only others become claims and wait.
 */
import type { Clock } from "../kernel/clock.ts";
import type { IdSource } from "../kernel/ids.ts";
import type { AllowanceReader } from "../storage/allowance-reader.ts";
import type { Amount, Bank } from "../storage/escrow/bank.ts";
import type { Allowance } from "./allowance.ts";
import { Claim, type WaitingRoom } from "./escrow/claim.ts";
import type { Purse } from "./escrow/purse.ts";
import type { AllowanceVerdict, Estimate, Limits, Rates, RequestScope, Reservation } from "./limits.ts";
import { holdsOf } from "./path/amounts.ts";
import type { Asker } from "./escrow/judge.ts";
import { BankTime } from "./owner/bank-time.ts";
import type { Owner } from "./owner/owner.ts";
import { openOwners, type Owners } from "./owner/owners.ts";
import { Reach } from "./owner/reach.ts";
import type { Path } from "./path/path.ts";
import { PathFinder } from "./path/path-finder.ts";
import { previewAll } from "./preview.ts";
import { noRates, tightestRate } from "./rates.ts";
import { closingDown, tooManyWaiting } from "./refusal.ts";
import { type Beginning, emptyReservation, HeldReservation, type HeldOf } from "./reservation.ts";

/** What happens to limits, for the operator. Called synchronously, on the request path too: they must be cheap. */
export interface LimitsEvents {
  /** An allowance of mode `soft` had no room for a request, which went on. */
  softLimitPassed(allowance: Allowance, subject: string): void;
  /** An allowance of mode `shadow` would have refused a request. */
  shadowRefusal(allowance: Allowance, subject: string): void;
  /** The bank could not be asked; once when it begins. */
  bankUnreachable(cause: unknown): void;
  /** It answers again. */
  bankReachable(): void;
  /** This process was out of touch with the bank for longer than its lease and goes on under another owner. */
  fenced(ownerId: string): void;
}

export interface LimitsDeps {
  readonly bank: Bank;
  readonly allowances: AllowanceReader;
  readonly clock: Clock;
  readonly ids: IdSource;
  /** The process whose journal explains what is drawn. */
  readonly instanceId: string;
  readonly events: LimitsEvents;
  /** Resolves when all that was committed so far is where the bank sees it: an owner is finished only after that. */
  readonly delivered: () => Promise<void>;
  /** Default 30 000. */
  readonly leaseMs?: number;
  /** How often the lease is renewed and idle grants are looked for. Default 250. */
  readonly pollMs?: number;
  /** How long a request waits for what other processes are asked to give back. Default 1000; 0 does not wait. */
  readonly recallWaitMs?: number;
  /** How long disposing waits for open reservations and the bank. Default 5000; 0 does not wait. */
  readonly closeWaitMs?: number;
}

/** Requests of this process that wait for the bank, at the most. */
const WAITING_MAX = 10_000;

/** What is kept of requests to be judged after an outage, at the most: some five megabytes. See `Bench.keptRoom`. */
const KEPT_MAX = 200_000;

/** Registers an owner at the bank. While the bank cannot be asked, what an allowance of mode `enforce` covers is refused. */
export async function createLimits(deps: LimitsDeps): Promise<Limits> {
  const { bank, clock, events } = deps;
  const bankTime = new BankTime(clock.wallMs(), clock.monotonicMs());
  const owners = await openOwners({
    bank,
    bankTime,
    clock,
    ids: deps.ids,
    instanceId: deps.instanceId,
    delivered: deps.delivered,
    leaseMs: deps.leaseMs ?? 30_000,
    pollMs: deps.pollMs ?? 250,
    recallWaitMs: deps.recallWaitMs ?? 1_000,
    keptRoom: { left: KEPT_MAX },
    reach: new Reach(events),
    nowMs: () => clock.monotonicMs(),
    fenced: (ownerId) => events.fenced(ownerId),
    passedLimit: (allowance, subject) => {
      if (allowance.mode === "soft") events.softLimitPassed(allowance, subject);
      else events.shadowRefusal(allowance, subject);
    },
  });
  const paths = new PathFinder(deps.allowances, () => owners.current.forgetAnswers());
  return new EscrowLimits(owners, paths, bankTime, clock, deps.closeWaitMs ?? 5_000);
}

class EscrowLimits implements Limits {
  readonly #owners: Owners;
  readonly #paths: PathFinder;
  readonly #bankTime: BankTime;
  readonly #clock: Clock;
  readonly #closeWaitMs: number;
  readonly #room: WaitingRoom = { order: 0, count: 0 };
  #isClosing = false;

  constructor(owners: Owners, paths: PathFinder, bankTime: BankTime, clock: Clock, closeWaitMs: number) {
    this.#owners = owners;
    this.#paths = paths;
    this.#bankTime = bankTime;
    this.#clock = clock;
    this.#closeWaitMs = closeWaitMs;
  }

  reserve(
    scope: RequestScope,
    estimate: Estimate,
    earlier: readonly Reservation[] = none,
    isUncounted: boolean = false,
  ): Reservation | Promise<Reservation> {
    const path = this.#paths.find(scope);
    if (path === null) return emptyReservation;
    if (this.#isClosing) throw closingDown();
    const nowMs = this.#clock.monotonicMs();
    const owner = this.#owners.current;
    if (path.refuses) owner.assertUsable(nowMs);
    const purses = path.pursesFrom(owner, this.#bankTime.at(nowMs));
    const amounts: HeldOf[] = holdsOf(path.allowances, estimate);
    const siblings = earlier.length === 0 ? noSiblings : earlier.filter((each) => each instanceof HeldReservation);
    const beginning = {
      expected: estimate.expected,
      nowMs,
      others: siblings.length > 0 || isUncounted ? new Siblings(siblings, isUncounted) : null,
      carriers: siblings.length > 0 ? leaveOut(path, purses, amounts, siblings) : null,
    };
    if (coversAll(purses, amounts, this.#room.order)) {
      return new HeldReservation(path, owner, this.#room, purses, amounts, beginning);
    }
    return this.#claim(path, owner, purses, amounts, beginning);
  }

  moneyBudget(scope: RequestScope): Allowance | null {
    return this.#paths.find(scope)?.moneyBudget ?? null;
  }

  rates(scope: RequestScope): Rates {
    try {
      const path = this.#paths.find(scope);
      if (path === null) return noRates;
      const purses = this.#pursesOf(path);
      return { requestRate: tightestRate(purses, "requests"), tokenRate: tightestRate(purses, "tokens") };
    } catch {
      // What cannot be looked up is not known.
      return noRates;
    }
  }

  async preview(scope: RequestScope, estimate: Estimate): Promise<readonly AllowanceVerdict[]> {
    const path = this.#paths.find(scope);
    if (path === null) return [];
    if (this.#isClosing) throw closingDown();
    return previewAll(path.allowances, this.#pursesOf(path), estimate);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#isClosing = true;
    return this.#owners.close(this.#closeWaitMs);
  }

  #claim(
    path: Path,
    owner: Owner,
    purses: readonly Purse[],
    amounts: HeldOf[],
    beginning: Beginning,
  ): Reservation | Promise<Reservation> {
    const room = this.#room;
    if (room.count >= WAITING_MAX) throw tooManyWaiting(room.count);
    const take = (): Reservation => {
      const nowMs = this.#clock.monotonicMs();
      owner.assertUsable(nowMs);
      return new HeldReservation(path, owner, room, purses, amounts, { ...beginning, nowMs });
    };
    const claim = new Claim(room, owner, purses, amounts, beginning.others, beginning.nowMs);
    return claim.attempt() ? take() : claim.wait(take);
  }

  #pursesOf(path: Path): readonly Purse[] {
    const nowMs = this.#clock.monotonicMs();
    if (path.refuses) this.#owners.current.assertUsable(nowMs);
    return path.pursesFrom(this.#owners.current, this.#bankTime.at(nowMs));
  }
}

const none: readonly Reservation[] = [];
const noSiblings: readonly HeldReservation[] = [];

/** The reservations that a request has already, as one. */
class Siblings implements Asker {
  readonly #reservations: readonly HeldReservation[];
  readonly #isUncounted: boolean;

  constructor(reservations: readonly HeldReservation[], isUncounted: boolean) {
    this.#reservations = reservations;
    this.#isUncounted = isUncounted;
  }

  heldOf(accountId: string): Amount {
    return this.#reservations.reduce((sum, each) => sum + each.heldOf(accountId), 0n);
  }

  get request(): object {
    return this.#reservations[0] ?? this;
  }

  mayCountAt(accountId: string): boolean {
    return !this.#isUncounted && this.#reservations[0]?.mayCountAt(accountId) !== false;
  }

  countAt(accountId: string): boolean {
    return !this.#isUncounted && this.#reservations[0]?.countAt(accountId) !== false;
  }
}

/** What the request has already of accounts that count it as a whole. Returns by which reservation, in order of the path. */
function leaveOut(
  { allowances }: Path,
  purses: readonly Purse[],
  amounts: HeldOf[],
  siblings: readonly HeldReservation[],
): readonly (HeldReservation | null)[] {
  return allowances.map(({ meter }, at) => {
    if (meter !== "requests" && meter !== "slots") return null;
    const accountId = purses[at]?.account.accountId ?? "";
    const carrier = siblings.find((each) => each.counts(accountId)) ?? null;
    if (carrier !== null) amounts[at] = null;
    return carrier;
  });
}

/** For a request that came as the `order`th. */
function coversAll(purses: readonly Purse[], amounts: readonly HeldOf[], order: number): boolean {
  let at = 0;
  for (const purse of purses) if (!purse.covers(amounts[at++] ?? 0n, order)) return false;
  return true;
}
