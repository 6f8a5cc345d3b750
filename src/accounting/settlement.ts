/**
 * What an attempt is charged, by how it ended. Pure; the exchange calls it once per attempt and commits the result.
 *
 *   how it ended                                      usage                                  basis
 *   not sent, or refused for the caller's sake (4xx)  none                                   none
 *   refused with a server error (5xx)                 none that we know of                   metered
 *   finished, usage reported                          as reported                            reported
 *   finished after the caller left, usage reported    as reported                            drained
 *   finished without usage                            our count of input and output          metered
 *   finished, with usage in which a count is none     our count, the larger of both of output metered
 *   failed by itself before it began to answer        none that we know of                   metered
 *   broke off or cancelled after output began         what is reported of the input, else    metered
 *                                                     our count; the larger of both of output
 *   broke off or cancelled before any output          input, if the provider bills it        metered or none
 *
 * "Finished" means that the provider gave a finish reason or a complete answer: usage seen before that is of an
 * answer still being written. Each attempt of a request has a line of its own by these rules, whether it was the one
 * that answered or not.
 *
 * The price is that of the service tier that the provider says it served. An attempt of a model without a price costs
 * zero and is flagged `unpriced`; one that a stand-in priced is flagged `unpriced` and `estimated`; one whose usage is
 * our own count is flagged `estimated`. A call whose connection broke before the answer, or that a server error ended,
 * costs nothing by our count, yet the provider may have worked: `metered` lets reconciliation ask. What the process's
 * death leaves behind is charged by the store's recovery, what a provider says later is reconcile.ts, and what another
 * price would have made of it is rerate.ts.
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
  readonly reading: Pick<ResponseReading, "usage" | "usageIsDoubtful" | "serviceTier" | "finish" | "outputBytes">;
  /** Events of a stream that carried output; 0 for a whole answer. */
  readonly outputEvents: number;
  /** The request's body as sent; looked at only where input has to be counted. */
  readonly body: Uint8Array | null;
  /** The provider's fact of this name. */
  readonly billsCancelledInput: boolean;
}

/** What our own count is made of. */
export type Metered = Pick<AttemptEnd, "reading" | "body" | "outputEvents">;

export interface Settlement {
  readonly usage: Usage;
  readonly cost: NanoUsd;
  /** Of the price that made the cost; `null` without one. */
  readonly priceVersion: string | null;
  readonly basis: SettlementBasis;
  readonly flags: readonly LedgerFlag[];
}

/** `asked`: the price at the service tier that was asked for; `null` for a model without one. */
export function settle(end: AttemptEnd, asked: Price | null): Settlement {
  const { reading } = end;
  const price = asked?.servedAt(reading.serviceTier) ?? null;
  const finished = end.complete || reading.finish !== null;
  if (!end.sent || (end.refused && !end.refusedByServer)) return nothing(price);
  const endedByItself = end.refused || (!end.answered && !end.stopped);
  if (endedByItself) return { ...nothing(price), basis: "metered", flags: flagsOf("metered", price) };
  if (finished && reading.usage !== null && !reading.usageIsDoubtful) {
    return charge(reading.usage, end.drained ? "drained" : "reported", price);
  }
  const begun = finished || reading.outputBytes > 0 || reading.usage !== null;
  return begun || end.billsCancelledInput ? charge(meterUsage(end), "metered", price) : nothing(price);
}

function nothing(price: Price | null): Settlement {
  return { usage: emptyUsage(), cost: zeroUsd, priceVersion: price?.version ?? null, basis: "none", flags: [] };
}

function charge(usage: Usage, basis: SettlementBasis, price: Price | null): Settlement {
  const cost = price?.cost(usage) ?? zeroUsd;
  return { usage, cost, priceVersion: price?.version ?? null, basis, flags: flagsOf(basis, price) };
}

function flagsOf(basis: SettlementBasis, price: Price | null): readonly LedgerFlag[] {
  const flags: LedgerFlag[] = [];
  if (price === null || price.standIn) flags.push("unpriced");
  if (basis === "metered" || price?.standIn === true) flags.push("estimated");
  return flags;
}

/**
 * What is charged where the provider has not said, or only of an unfinished answer: that is cumulative, so it is right about
 * the input, and possibly behind on the output. Of usage with a count that is none, what is less than our own count is not
 * relied on.
 */
export function meterUsage({ reading, body, outputEvents }: Metered): Usage {
  const usage = reading.usage === null ? emptyUsage() : { ...reading.usage };
  const inputTokens = totalInputTokens(usage);
  if (inputTokens === 0 || reading.usageIsDoubtful) {
    usage.inputTokens += Math.max(0, (body === null ? 0 : meterInput(body)) - inputTokens);
  }
  usage.outputTokens += Math.max(0, meterOutput(reading.outputBytes, outputEvents) - totalOutputTokens(usage));
  return usage;
}
