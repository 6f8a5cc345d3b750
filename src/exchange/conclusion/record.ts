/** The wide row of an exchange: everything an operator may want to know of it, and no content. */
import type { HeadgateError } from "../../kernel/errors.ts";
import { addUsd, zeroUsd } from "../../kernel/money.ts";
import { addUsage, emptyUsage, totalOutputTokens } from "../../kernel/usage.ts";
import type { Ending, LedgerEntry, RequestRecord, SettlementBasis } from "../../storage/records.ts";
import type { Attempt } from "../attempt/attempt.ts";
import { callerGone, type Exchange } from "../exchange.ts";
import { summarizeLosses } from "./losses.ts";
import { modelServed } from "./settle.ts";
import { trailOf } from "./trail.ts";

const USER_AGENT_CHARS_MAX = 200;
const PATH_CHARS_MAX = 300;
const MODEL_CHARS_MAX = 300;

/**
 * `endBytes`: what is still to be sent. `nowMs`: monotonic. It tells what the request's own caller saw: one who left an
 * answer that others go on reading left all the same, whatever became of it.
 */
export function buildRecord(
  exchange: Exchange,
  entries: readonly LedgerEntry[],
  endBytes: number,
  nowMs: number,
): RequestRecord {
  const { view, toldAttempt, incoming, dialect } = exchange;
  const leftAnswer = exchange.share?.leading?.callerThatLeft ?? null;
  const failure = leftAnswer === null ? exchange.failure : callerGone();
  const { headSent, bytesOut } = leftAnswer ?? exchange.responder;
  const attempt = toldAttempt?.attempt ?? null;
  const userAgent = incoming.headers["user-agent"];
  const usage = emptyUsage();
  let costNanoUsd = zeroUsd;
  for (const entry of entries) {
    addUsage(usage, entry.usage);
    costNanoUsd = addUsd(costNanoUsd, entry.costNanoUsd);
  }
  return {
    requestId: exchange.requestId,
    startedAtMs: exchange.startedAtMs,
    payer: exchange.principal?.payer ?? null,
    endUser: view?.endUser ?? null,
    operation: view === null ? null : dialect.operation,
    method: incoming.method,
    path: incoming.path.slice(0, PATH_CHARS_MAX),
    dialectIn: view === null ? null : dialect.name,
    dialectOut: toldAttempt?.attempt.call.target.dialect ?? null,
    stream: view?.stream ?? false,
    modelAsked: view?.model.slice(0, MODEL_CHARS_MAX) ?? null,
    modelServed: (toldAttempt === null ? null : modelServed(toldAttempt)) ?? exchange.share?.modelServed ?? null,
    provider: toldAttempt?.hold.provider ?? exchange.share?.provider ?? null,
    status: failure === null || headSent ? 200 : failure.status,
    ending: endingOf(failure, headSent, exchange),
    finishReason: attempt?.reading.finish ?? null,
    errorCode: failure?.code ?? null,
    attempts: exchange.attempts.length,
    trail: trailOf(exchange, nowMs),
    deadlineUs: exchange.deadlineMs === null ? null : Math.round(exchange.deadlineMs * 1000),
    losses: attempt === null ? [] : summarizeLosses(attempt.call.losses),
    invalidEvents: attempt?.invalidEvents ?? 0,
    reuse: exchange.share?.reuse ?? null,
    savedNanoUsd: exchange.share?.netSavedNanoUsd ?? zeroUsd,
    usage,
    costNanoUsd,
    basis: basisOf(exchange, entries),
    bytesIn: exchange.bytesIn,
    bytesOut: leftAnswer === null ? bytesOut + endBytes : bytesOut,
    queueUs: sinceUs(exchange.startedMs, exchange.admittedMs),
    connectUs: sinceUs(attempt?.startedAtMs ?? null, attempt?.sentAtMs ?? null),
    firstTokenUs: sinceUs(exchange.startedMs, attempt?.firstOutputAtMs ?? null),
    totalUs: sinceUs(exchange.startedMs, nowMs) ?? 0,
    outputTokensPerSecond: outputRate(attempt, totalOutputTokens(usage), nowMs),
    userAgent: typeof userAgent === "string" ? userAgent.slice(0, USER_AGENT_CHARS_MAX) : null,
  };
}

/** That of the attempt that the caller was told of. */
function basisOf({ toldAttempt }: Exchange, entries: readonly LedgerEntry[]): SettlementBasis {
  const told = entries.find(({ attemptId }) => attemptId === toldAttempt?.hold.attemptId);
  return told?.basis ?? "none";
}

function endingOf(failure: HeadgateError | null, headSent: boolean, { attempts }: Exchange): Ending {
  if (failure === null) return "complete";
  switch (failure.code) {
    case "client_closed":
      return "caller-gone";
    case "shutting_down":
      return "shutdown";
    case "stream_truncated":
      return "truncated";
    case "deadline_exceeded":
    case "connect_timeout":
    case "first_token_timeout":
    case "idle_timeout":
    case "total_timeout":
      return "timeout";
    case "internal":
    case "storage_unavailable":
      return "gateway-error";
    case "upstream_rejected":
      return "provider-error";
    case "upstream_credentials":
      return attempts.length > 0 ? "provider-error" : "refused";
    default:
      if (failure.fault === "upstream") return "provider-error";
      // A stream that has begun is not refused any more: what allowances do not let go on is cut short.
      return headSent ? "truncated" : "refused";
  }
}

function sinceUs(fromMs: number | null, toMs: number | null): number | null {
  return fromMs === null || toMs === null ? null : Math.max(0, Math.round((toMs - fromMs) * 1000));
}

function outputRate(attempt: Attempt | null, tokens: number, nowMs: number): number | null {
  if (attempt === null || attempt.firstOutputAtMs === null || tokens === 0) return null;
  const seconds = (nowMs - attempt.firstOutputAtMs) / 1000;
  return seconds > 0 ? Math.round((tokens / seconds) * 100) / 100 : null;
}
