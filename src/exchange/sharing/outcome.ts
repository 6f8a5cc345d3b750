/** What is done with the outcome of an exchange that leads a shared answer: whether others meet it too, whether it is kept. */
import { type ErrorCode, HeadgateError } from "../../kernel/errors.ts";
import { addUsd } from "../../kernel/money.ts";
import type { RequestRecord } from "../../storage/records.ts";
import type { Exchange } from "../exchange.ts";
import type { Share } from "./share.ts";
import type { SharedAnswer, SharedEnd } from "./joint/shared-answer.ts";

const ownFailures: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "client_closed",
  "deadline_exceeded",
  "budget_exhausted",
  "rate_limited",
  "slots_exhausted",
  "owner_fenced",
  "overloaded",
  "shutting_down",
]);

/** `record`: as `conclude` gave it. */
export function endOf(
  exchange: Exchange,
  share: Share,
  shared: SharedAnswer,
  record: RequestRecord | null,
  nowMs: number,
): SharedEnd {
  const source = {
    requestId: share.sourceId ?? exchange.requestId,
    atMs: nowMs - (share.ageMs ?? 0),
    headers: shared.headersOfAnswer,
    modelServed: record?.modelServed ?? null,
    provider: record?.provider ?? null,
    costNanoUsd: record === null ? share.savedNanoUsd : addUsd(record.costNanoUsd, share.savedNanoUsd),
  };
  const { failure } = exchange;
  if (failure === null && record !== null) return { how: "answered", source, ...shared.lastWords };
  const told = failure ?? new HeadgateError("internal", "The gateway failed on the request that makes this answer.");
  return { how: "failed", source, failure: told, isOwn: isOwnFailure(told) };
}

/** Of one request's own caller, key, time or budget: another may fare better. */
export function isOwnFailure({ code }: HeadgateError): boolean {
  return ownFailures.has(code);
}

/** What a repetition would only meet again, perhaps at a price. */
const finalFailures: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["upstream_rejected", "upstream_too_large"]);

/** Whether an error is the answer to a request with an `Idempotency-Key`; else the key is free for another try. */
export function isFinalFailure({ code }: HeadgateError): boolean {
  return finalFailures.has(code);
}

/** How an answer ends that is as good for the next who asks: neither cut short nor refused. */
const normalFinishes: ReadonlySet<string> = new Set(["stop", "stop-sequence", "tool-calls"]);

/** Of an answer that is there as a whole, whether the caller for whom it was made stayed to its end or not. */
export function isCacheable({ operation, finishReason, invalidEvents }: RequestRecord): boolean {
  if (invalidEvents > 0) return false;
  return operation === "chat" ? finishReason !== null && normalFinishes.has(finishReason) : true;
}
