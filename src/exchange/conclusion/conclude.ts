/**
 * The end of every exchange: settle each attempt, commit ledger entries and the wide row in one transaction, and only
 * then let the caller see that the answer is complete. If the commit fails the caller is told so instead, and the
 * holds stay for recovery. A caller whose hold the store has already refused is not kept waiting for the store again.
 */
import { zeroUsd } from "../../kernel/money.ts";
import { HeadgateError, toHeadgateError } from "../../kernel/errors.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Journal, LedgerEntry } from "../../storage/records.ts";
import type { Telemetry } from "../../telemetry/telemetry.ts";
import { shuttingDown, type Exchange } from "../exchange.ts";
import { buildRecord } from "./record.ts";
import { answerHeaders, errorHeaders } from "./response-headers.ts";
import { settleAttempt } from "./settle.ts";

export interface ConcludeDeps {
  readonly clock: Clock;
  readonly journal: Journal;
  readonly telemetry: Telemetry;
}

export async function conclude(deps: ConcludeDeps, exchange: Exchange): Promise<void> {
  nameCancellation(exchange);
  takeAnswer(exchange);
  const settledAtMs = deps.clock.wallMs();
  const entries = exchange.attempts.map((open) => settleAttempt(open, settledAtMs));
  const record = buildRecord(exchange, entries, deps.clock.monotonicMs());
  const storeRefused = exchange.failure?.code === "storage_unavailable";
  if (storeRefused) respond(exchange, entries);
  try {
    await deps.journal.close(record, entries);
  } catch (thrown) {
    deps.telemetry.recordLost(record, thrown);
    exchange.failure ??= toHeadgateError(thrown);
    exchange.answer = null;
  }
  deps.telemetry.requestEnded(record, exchange.failure);
  if (!storeRefused) respond(exchange, entries);
}

/**
 * A cancelled exchange failed for the reason it was cancelled for. A caller who left saw nothing of what happened
 * afterwards, not even the end of an answer that was read on for its usage; a shutdown takes nothing from an answer
 * that is complete.
 */
function nameCancellation(exchange: Exchange): void {
  const cause = exchange.cancelCause;
  if (cause === "caller-gone") {
    const message = "The caller closed the connection before the answer was complete.";
    exchange.failure = new HeadgateError("client_closed", message);
  } else if (cause === "shutdown" && exchange.lastAttempt?.attempt.state !== "complete") {
    exchange.failure ??= shuttingDown();
  }
}

/** A provider's whole answer becomes the exchange's: its own bytes, or their translation. */
function takeAnswer(exchange: Exchange): void {
  const attempt = exchange.lastAttempt?.attempt;
  if (exchange.failure !== null || attempt === undefined || attempt.body === null) return;
  try {
    exchange.answer = { status: 200, body: attempt.call.translateAnswer?.(attempt.json) ?? attempt.body };
  } catch (thrown) {
    exchange.failure = toHeadgateError(thrown);
  }
}

function respond(exchange: Exchange, entries: readonly LedgerEntry[]): void {
  const { responder, failure, answer } = exchange;
  if (exchange.cancelCause === "caller-gone") {
    responder.destroy();
  } else if (failure !== null) {
    respondWithFailure(exchange, failure);
  } else if (answer !== null) {
    const headers = answerHeaders(exchange);
    const cost = entries.reduce((sum, entry) => sum + entry.costNanoUsd, zeroUsd as bigint);
    headers.push("content-type", "application/json", "x-headgate-cost-nano-usd", cost.toString());
    responder.send(answer.status, headers, answer.body);
  } else {
    responder.end(exchange.lastAttempt?.attempt.tail ?? null);
  }
}

function respondWithFailure(exchange: Exchange, failure: HeadgateError): void {
  const { responder, dialect, requestId } = exchange;
  if (failure.code === "client_closed") {
    responder.destroy();
  } else if (responder.headSent) {
    responder.end(dialect.inbound?.encodeStreamError(failure, requestId) ?? null);
  } else {
    const body = dialect.inbound?.encodeError(failure, requestId) ?? new Uint8Array(0);
    const headers = errorHeaders(exchange, failure);
    if (!exchange.incoming.bodyRead) headers.push("connection", "close");
    responder.send(failure.status, headers, body);
  }
}
