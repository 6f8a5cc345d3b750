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

export interface Telemetry {
  /** An exchange is over and its record is committed. */
  requestEnded(record: RequestSummary, failure: HeadgateError | null): void;
  /** The record of a request could not be committed. */
  recordLost(record: RequestSummary, cause: unknown): void;
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
      const fields = { ...requestFields(record), reason: failure.message };
      if (failure.fault === "gateway" && failure.code === "internal") {
        logger.error({ ...fields, err: failure.cause }, "request failed by a bug in the gateway");
      } else {
        logger.warn(fields, "request failed");
      }
    },
    recordLost(record, cause) {
      logger.error({ ...requestFields(record), err: cause }, "the record of a request could not be committed");
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
