/**
 * The end of the caller's side. First the last bytes are rendered, so that the record can count them and so that what
 * goes wrong there is known before anything is committed; they are sent when the record is.
 */
import { zeroUsd } from "../../kernel/money.ts";
import { toHeadgateError } from "../../kernel/errors.ts";
import type { LedgerEntry } from "../../storage/records.ts";
import type { Exchange } from "../exchange.ts";
import { answerHeaders, errorHeaders, pushStreamType } from "./response-headers.ts";

/**
 * The body of a whole response, or the bytes that end a stream; `null`: nothing more is said. A failure of rendering
 * becomes the exchange's failure, which is rendered instead.
 */
export function renderEnd(exchange: Exchange): Uint8Array | null {
  try {
    return render(exchange);
  } catch (thrown) {
    exchange.failure = toHeadgateError(thrown);
    exchange.answer = null;
    return render(exchange);
  }
}

function render(exchange: Exchange): Uint8Array | null {
  const { responder, failure, answer, dialect, requestId } = exchange;
  if (hangsUp(exchange)) return null;
  if (failure !== null) {
    const rendered = responder.headSent
      ? dialect.inbound?.encodeStreamError(failure, requestId)
      : dialect.inbound?.encodeError(failure, requestId);
    return rendered ?? null;
  }
  return answer === null ? (exchange.toldAttempt?.attempt.tail ?? exchange.share?.tail ?? null) : answer.body;
}

/** `end`: what `renderEnd` gave. */
export function respond(exchange: Exchange, end: Uint8Array | null, entries: readonly LedgerEntry[]): void {
  const { responder, failure, answer } = exchange;
  if (hangsUp(exchange)) {
    responder.destroy();
  } else if (failure !== null && !responder.headSent) {
    responder.send(failure.status, errorHeaders(exchange, failure), end ?? new Uint8Array(0));
  } else if (failure === null && answer !== null) {
    const headers = answerHeaders(exchange);
    if (answer.isStream === true) pushStreamType(headers);
    else headers.push("content-type", "application/json");
    if (!entries.some(isUnpriced)) headers.push("x-headgate-cost-nano-usd", totalCost(exchange, entries).toString());
    responder.send(answer.status, headers, answer.body);
  } else {
    responder.end(end);
  }
}

/** Nobody is there to be told anything. */
function hangsUp({ cancelCause, failure }: Exchange): boolean {
  return cancelCause === "caller-gone" || failure?.code === "client_closed";
}

function isUnpriced({ flags }: LedgerEntry): boolean {
  return flags.includes("unpriced");
}

/** What was charged on its account: its own calls, and the one that said what it means. */
function totalCost({ share }: Exchange, entries: readonly LedgerEntry[]): bigint {
  const comparing: bigint = share?.embeddingNanoUsd ?? zeroUsd;
  return entries.reduce((sum, entry) => sum + entry.costNanoUsd, comparing);
}
