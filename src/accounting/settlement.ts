/**
 * What an attempt is charged, by how it ended. Pure; the exchange calls it once per attempt and commits the result.
 *
 *   how it ended                                      usage                                  basis
 *   not sent, or refused for the caller's sake (4xx)  none                                   none
 *   refused with a server error (5xx)                 none that we know of                   metered
 *   finished, usage reported                          as reported                            reported
 *   finished after the caller left, usage reported    as reported                            drained
 *   finished without usage                            our count of input and output          metered
 *   failed by itself before it began to answer        none that we know of                   metered
 *   broke off or cancelled after output began         what is reported of the input, else    metered
 *                                                     our count; the larger of both of output
 *   broke off or cancelled before any output          input, if the provider bills it        metered or none
 *
 * "Finished" means that the provider gave a finish reason or a complete answer: usage seen before that is of an
 * answer still being written. An attempt of a model without a price costs zero and is flagged `unpriced`; one whose
 * usage is our own count is flagged `estimated`. A call whose connection broke before the answer, or that a server error
 * ended, costs nothing by our count, yet the provider may have worked: `metered` lets reconciliation ask. What the process's death leaves behind is
 * charged by the store's recovery, and what a provider says later is reconcile.ts.
 */
import type { ResponseReading } from "../dialects/dialect.ts";
import { zeroUsd, type NanoUsd } from "../kernel/money.ts";
import { emptyUsage, totalInputTokens, totalOutputTokens, type Usage } from "../kernel/usage.ts";
import type { LedgerFlag, SettlementBasis } from "../storage/records.ts";
import { meterInput, meterOutput } from "./estimate.ts";
import type { Price } from "./price-book.ts";

export interface AttemptEnd {
  /** Whether any of the request was written to a connection. */
  readonly sent: boolean;
  /** The provider answered with an error status. */
  readonly refused: boolean;
  /** With a status of 500 or more. */
  readonly refusedByServer: boolean;
  /** The provider began to answer: the head of a success arrived. */
  readonly answered: boolean;
  /** The gateway stopped the call: the caller left, a timer ran out, the process shut down. */
  readonly stopped: boolean;
  /** The answer is complete, as far as its dialect can tell. */
  readonly complete: boolean;
  /** The rest of the stream was read after the caller had left. */
  readonly drained: boolean;
  /** What was read of the answer; empty if there was none. */
  readonly reading: Pick<ResponseReading, "usage" | "finish" | "outputBytes">;
  /** The request's body as sent; looked at only where input has to be counted. */
  readonly body: Uint8Array | null;
  /** The provider's fact of this name. */
  readonly billsCancelledInput: boolean;
}

export interface Settlement {
  readonly usage: Usage;
  readonly cost: NanoUsd;
  readonly basis: SettlementBasis;
  readonly flags: readonly LedgerFlag[];
}

/** `price`: `null` for a model without one. */
export function settle(end: AttemptEnd, price: Price | null): Settlement {
  const { reading } = end;
  const finished = end.complete || reading.finish !== null;
  if (!end.sent || (end.refused && !end.refusedByServer)) return nothing();
  const endedByItself = end.refused || (!end.answered && !end.stopped);
  if (endedByItself) return { ...nothing(), basis: "metered", flags: flagsOf("metered", price) };
  if (finished && reading.usage !== null) return charge(reading.usage, end.drained ? "drained" : "reported", price);
  const begun = finished || reading.outputBytes > 0 || reading.usage !== null;
  return begun || end.billsCancelledInput ? charge(meter(end), "metered", price) : nothing();
}

function nothing(): Settlement {
  return { usage: emptyUsage(), cost: zeroUsd, basis: "none", flags: [] };
}

function charge(usage: Usage, basis: SettlementBasis, price: Price | null): Settlement {
  return { usage, cost: price?.cost(usage) ?? zeroUsd, basis, flags: flagsOf(basis, price) };
}

function flagsOf(basis: SettlementBasis, price: Price | null): readonly LedgerFlag[] {
  const flags: LedgerFlag[] = [];
  if (price === null) flags.push("unpriced");
  if (basis === "metered") flags.push("estimated");
  return flags;
}

/** Usage of an unfinished answer is cumulative: right about the input, possibly behind on the output. */
function meter({ reading, body }: AttemptEnd): Usage {
  const usage = reading.usage === null ? emptyUsage() : { ...reading.usage };
  if (totalInputTokens(usage) === 0) usage.inputTokens = body === null ? 0 : meterInput(body);
  usage.outputTokens += Math.max(0, meterOutput(reading.outputBytes) - totalOutputTokens(usage));
  return usage;
}
