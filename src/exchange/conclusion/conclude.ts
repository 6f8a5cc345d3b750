/**
 * The end of every exchange: settle each attempt, commit ledger entries and the wide row in one transaction, and only
 * then let the caller see that the answer is complete. If the commit fails the caller is told so instead, and the
 * store keeps the closing. A caller whose hold the store has already refused is not kept waiting for the store again.
 *
 * Invariant: settling, recording and answering fail each for itself: a bug in one skips none of the others.
 */
import { HeadgateError, toHeadgateError } from "../../kernel/errors.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Reservation } from "../../limits/limits.ts";
import type { Move } from "../../storage/escrow/bank.ts";
import type { Journal, LedgerEntry, RequestRecord } from "../../storage/records.ts";
import type { Telemetry } from "../../telemetry/telemetry.ts";
import type { LateReservations } from "../late-reservations.ts";
import { callerGone, shuttingDown, type Exchange, type OpenAttempt } from "../exchange.ts";
import { buildRecord } from "./record.ts";
import { renderEnd, respond } from "./respond.ts";
import { demandOf, settleAttempt } from "./settle.ts";

export interface ConcludeDeps {
  readonly clock: Clock;
  readonly journal: Journal;
  readonly telemetry: Telemetry;
  readonly lateReservations: LateReservations;
}

/**
 * Resolves with the record, `null` if it is not committed. Rejects only if the answer could not be handed over, and then
 * last of all.
 */
export async function conclude(deps: ConcludeDeps, exchange: Exchange): Promise<RequestRecord | null> {
  nameCancellation(exchange);
  takeAnswer(exchange);
  const entries = settleAttempts(deps, exchange);
  const taking = settleReserved(deps, exchange, entries);
  const end = renderEnd(exchange);
  const record = describe(deps, exchange, end, entries);
  if (exchange.failure?.code === "storage_unavailable") {
    try {
      respond(exchange, end, entries);
    } finally {
      await commit(deps, exchange, record, entries, taking);
    }
    return null;
  }
  const committed = await commit(deps, exchange, record, entries, taking);
  respond(exchange, committed ? end : renderEnd(exchange), entries);
  return committed ? record : null;
}

/**
 * A cancelled exchange failed for the reason it was cancelled for. A caller who left saw nothing of what happened
 * afterwards, not even the end of an answer that was read on for its usage; a shutdown takes nothing from an answer
 * that is complete.
 */
function nameCancellation(exchange: Exchange): void {
  const cause = exchange.cancelCause;
  if (cause === "caller-gone") {
    exchange.failure = callerGone();
  } else if (cause === "shutdown" && exchange.answer === null && exchange.toldAttempt?.attempt.state !== "complete") {
    exchange.failure ??= shuttingDown();
  }
}

/** A provider's whole answer becomes the exchange's: its own bytes, or their translation. */
function takeAnswer(exchange: Exchange): void {
  const attempt = exchange.toldAttempt?.attempt;
  if (exchange.failure !== null || attempt === undefined || attempt.body === null) return;
  try {
    exchange.answer = { status: 200, body: attempt.call.translateAnswer?.(attempt.json, attempt) ?? attempt.body };
  } catch (thrown) {
    exchange.failure = toHeadgateError(thrown);
  }
}

/** An attempt that cannot be settled keeps its hold, and is charged at its worst case later. */
function settleAttempts(deps: ConcludeDeps, exchange: Exchange): LedgerEntry[] {
  const settledAtMs = deps.clock.wallMs();
  const entries: LedgerEntry[] = [];
  for (const { open } of exchange.legs) {
    if (open === null) continue;
    try {
      entries.push(settleAttempt(open, settledAtMs));
      if (open.attempt.reading.usageIsDoubtful) warnOfUsage(deps, open);
    } catch (thrown) {
      deps.telemetry.requestBroke(exchange.requestId, thrown);
    }
  }
  return entries;
}

/** Reports count such a charge among the estimates. */
function warnOfUsage({ telemetry }: ConcludeDeps, { hold }: OpenAttempt): void {
  telemetry.warn(
    "a provider reported usage with a count that is none; the call is charged by the gateway's own count",
    {
      attemptId: hold.attemptId,
      target: hold.modelTarget,
    },
  );
}

/** What the request takes from allowances, and the reservations to be told when that is committed. */
interface Taking {
  readonly moves: readonly Move[];
  readonly reservations: readonly Reservation[];
}

/** What is held of allowances for an attempt that cannot be settled stays held with it. */
function settleReserved(deps: ConcludeDeps, exchange: Exchange, entries: readonly LedgerEntry[]): Taking {
  const moves: Move[] = [];
  const reservations: Reservation[] = [];
  // The last first: an earlier one counts the request for those that were seen by a provider.
  for (const { reservation, open } of exchange.legs.toReversed()) {
    const entry = open === null ? null : entries.find(({ attemptId }) => attemptId === open.hold.attemptId);
    if (reservation === null || entry === undefined) continue;
    try {
      moves.push(...reservation.settle(demandOf(open, entry)));
      reservations.push(reservation);
    } catch (thrown) {
      deps.telemetry.requestBroke(exchange.requestId, thrown);
    }
  }
  return { moves, reservations };
}

/** What will be true when the answer is handed over; `null`, and the exchange's failure, if a bug keeps it from being told. */
function describe(
  deps: ConcludeDeps,
  exchange: Exchange,
  end: Uint8Array | null,
  entries: readonly LedgerEntry[],
): RequestRecord | null {
  try {
    return buildRecord(exchange, entries, end?.byteLength ?? 0, deps.clock.monotonicMs());
  } catch (thrown) {
    deps.telemetry.requestBroke(exchange.requestId, thrown);
    takeRecordFailure(exchange, thrown);
    return null;
  }
}

/** Whether the record is committed. If not, that is the exchange's failure, unless it has failed already. */
async function commit(
  deps: ConcludeDeps,
  exchange: Exchange,
  record: RequestRecord | null,
  entries: readonly LedgerEntry[],
  { moves, reservations }: Taking,
): Promise<boolean> {
  if (record === null) {
    // Without an attempt nothing of it is in the journal; else its hold is charged when this process is gone.
    if (entries.length === 0) tellCommitted(reservations);
    return false;
  }
  let committed = true;
  try {
    await deps.journal.close(record, entries, moves);
    tellCommitted(reservations);
  } catch (thrown) {
    committed = false;
    // Without an attempt nothing of it is in the journal.
    if (entries.length === 0) tellCommitted(reservations);
    else if (reservations.length > 0) deps.lateReservations.keep(exchange.requestId, reservations);
    deps.telemetry.recordLost(record, thrown);
    takeRecordFailure(exchange, thrown);
  }
  deps.telemetry.requestEnded(record, exchange.failure);
  return committed;
}

function tellCommitted(reservations: readonly Reservation[]): void {
  for (const reservation of reservations) reservation.committed();
}

/** A provider that has answered bills for it: trying again would be billed again. */
function takeRecordFailure(exchange: Exchange, thrown: unknown): void {
  exchange.answer = null;
  if (exchange.failure !== null) return;
  const failure = toHeadgateError(thrown);
  const sent = exchange.attempts.some(({ attempt }) => attempt.sentAtMs !== null);
  exchange.failure =
    sent && failure.code === "storage_unavailable"
      ? new HeadgateError(
          "storage_unavailable",
          "The provider answered and bills the call, but its record could not be committed yet, so the answer is withheld.",
          { shouldRetry: false, cause: thrown },
        )
      : failure;
}
