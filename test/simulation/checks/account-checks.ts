/** What must hold of an account's numbers after every event. */
import { available, type AccountState } from "../../../src/storage/escrow/account.ts";
import type { ModelAccount } from "../model/bank.ts";
import type { Control } from "../model/control.ts";
import type { Books } from "./books.ts";
import { limitOf } from "./path.ts";
import { Violation } from "./violation.ts";

/** More than the bank's clock jumps back in all. */
const CLOCK_TOLERANCE_MS = 25_000;

/** `wasLenient`: requests may have taken of it what nobody was granted. */
export function checkAccount(account: ModelAccount, books: Books, wasLenient: boolean): void {
  checkConservation(account);
  if (!wasLenient) checkInHand(account, books);
  checkSpent(account, books);
}

/** A change of the allowance reaches all accounts whose window has not ended, in the transaction that makes it. */
export function checkLimit({ key, state }: ModelAccount, control: Control, bankMs: number): void {
  const row = control.allowance(key.allowanceId);
  const mayHaveEnded = key.windowEndMs !== null && key.windowEndMs < bankMs + CLOCK_TOLERANCE_MS;
  if (row === undefined || mayHaveEnded) return;
  const limit = limitOf(row, control.overridesOf(row.id), key.windowStartMs);
  if (state.limit === limit) return;
  throw new Violation("limit", `${key.accountId} has a limit of ${state.limit}, the allowance says ${limit}`);
}

/** Nothing was ever drawn from it, so there is nothing to be settled, nor held unless that needs no grant. */
export function checkUnopened(accountId: string, books: Books, wasLenient: boolean): void {
  const held =
    !wasLenient &&
    [...books.positionsOf(accountId).values()].some(({ held, undelivered }) => held + undelivered !== 0n);
  if (!held && books.settledOf(accountId) === 0n) return;
  throw new Violation("inHand", `requests hold or have settled something of ${accountId}, which does not exist`);
}

function checkConservation({ key, state, grants }: ModelAccount): void {
  let granted = 0n;
  let suspense = 0n;
  for (const [ownerId, { amount, suspended }] of grants) {
    if (amount < 0n) throw new Violation("negative", `${ownerId} holds ${amount} of ${key.accountId}`);
    if (suspended) suspense += amount;
    else granted += amount;
  }
  if (state.granted === granted && state.suspense === suspense) return;
  const say = `${key.accountId} has granted ${state.granted} and suspense ${state.suspense}`;
  throw new Violation("conservation", `${say}, its grants add up to ${granted} and ${suspense}`);
}

/** Holds of dead processes count too: their journal will charge them. */
function checkInHand({ key, grants }: ModelAccount, books: Books): void {
  for (const [ownerId, { held, undelivered }] of books.positionsOf(key.accountId)) {
    const amount = grants.get(ownerId)?.amount ?? 0n;
    if (held < 0n || undelivered < 0n) {
      throw new Violation(
        "negative",
        `requests of ${ownerId} hold ${held} and settle ${undelivered} of ${key.accountId}`,
      );
    }
    if (held + undelivered <= amount) continue;
    const say = `${ownerId} has been granted ${amount} of ${key.accountId}`;
    throw new Violation("inHand", `${say}, its requests hold ${held} and ${undelivered} is on its way to the ledger`);
  }
}

/** A rate forgets as time passes; everything else is remembered to the last unit. */
function checkSpent({ key, state }: ModelAccount, books: Books): void {
  const settled = books.settledOf(key.accountId);
  const isRight = state.drain === null ? state.spent === settled : state.spent <= settled && levelOf(state) >= 0n;
  if (isRight) return;
  throw new Violation("ledger", `${key.accountId} has spent ${state.spent}, the ledger has settled ${settled} of it`);
}

function levelOf(state: AccountState): bigint {
  return state.limit - available(state);
}
