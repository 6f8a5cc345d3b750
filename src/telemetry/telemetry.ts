/**
 * What the gateway says about itself while it runs: one function per event. Prompts and outputs are in none of them.
 * Behind it are structured logs; metrics and traces get their place here, and callers do not change when they come.
 */
import type { Logger } from "pino";
import type { HeadgateError } from "../kernel/errors.ts";

/** What telemetry needs of a request's wide row; no content. */
export interface RequestSummary {
  readonly requestId: string;
  readonly status: number;
  readonly ending: string;
  readonly errorCode: string | null;
  readonly modelAsked: string | null;
  readonly modelServed: string | null;
  readonly payer: { readonly keyId: string } | null;
  readonly totalUs: number;
}

/** What is known of a charge that is not in the ledger yet. */
export interface LateEntry {
  readonly entryId: string;
  readonly usage: object;
  readonly costNanoUsd: bigint;
}

export interface Telemetry {
  /** An exchange is over, its record committed or, after `recordLost`, not. A provider's own words are logged at debug only. */
  requestEnded(record: RequestSummary, failure: HeadgateError | null): void;
  /** The record of a request could not be committed. */
  recordLost(record: RequestSummary, cause: unknown): void;
  /** A bug ended a request, or a part of its conclusion, outside of what is foreseen. */
  requestBroke(requestId: string, cause: unknown): void;
  /** A closing that the store refused although its calls were made, and what became of it. */
  closingLate(state: "kept" | "settled" | "abandoned", record: RequestSummary, entries: readonly LateEntry[]): void;
  /** Something failed that belongs to no request. */
  backgroundFailed(what: string, cause: unknown): void;
  lifecycle(message: string, details?: Readonly<Record<string, unknown>>): void;
  warn(message: string, details?: Readonly<Record<string, unknown>>): void;
}

export function createTelemetry(logger: Logger): Telemetry {
  return {
    requestEnded(record, failure) {
      if (failure === null || failure.fault === "caller") {
        if (logger.isLevelEnabled("debug")) logger.debug(requestFields(record), "request ended");
        return;
      }
      const fields = { ...requestFields(record), ...(isQuoted(failure) ? {} : { reason: failure.message }) };
      if (failure.fault === "gateway" && failure.code === "internal") {
        logger.error({ ...fields, err: failure.cause }, "request failed by a bug in the gateway");
      } else {
        logger.warn(fields, "request failed");
        if (isQuoted(failure) && logger.isLevelEnabled("debug")) {
          logger.debug({ requestId: record.requestId, reason: failure.message }, "what the provider said");
        }
      }
    },
    recordLost(record, cause) {
      logger.error({ ...requestFields(record), err: cause }, "the record of a request could not be committed");
    },
    requestBroke(requestId, cause) {
      logger.error({ requestId, err: cause }, "request broke by a bug in the gateway");
    },
    closingLate(state, record, entries) {
      const charges = entries.map(({ entryId, usage, costNanoUsd }) => {
        return { entryId, usage, costNanoUsd: String(costNanoUsd) };
      });
      const fields = { ...requestFields(record), charges };
      if (state === "settled") logger.info(fields, "a record that the store had refused is committed");
      else if (state === "kept") logger.error(fields, "the store refused a record; it is kept and tried again");
      else logger.error(fields, "a record is given up; what it held will be charged at its worst case");
    },
    backgroundFailed(what, cause) {
      logger.error({ err: cause }, `${what} failed`);
    },
    lifecycle(message, details) {
      logger.info(details ?? {}, message);
    },
    warn(message, details) {
      logger.warn(details ?? {}, message);
    },
  };
}

/**
 * Whether the message is a provider's, which may quote the prompt or a key, as may what it calls a type or a code. Of
 * a refused credential the gateway speaks in its own words.
 */
function isQuoted({ code, upstream }: HeadgateError): boolean {
  return upstream !== null && code !== "upstream_credentials";
}

function requestFields(record: RequestSummary): Record<string, unknown> {
  return {
    requestId: record.requestId,
    status: record.status,
    ending: record.ending,
    errorCode: record.errorCode,
    model: record.modelServed ?? record.modelAsked,
    keyId: record.payer?.keyId ?? null,
    totalUs: record.totalUs,
  };
}
