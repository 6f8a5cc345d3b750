/**
 * The life of one request. Created at the edge, passed down, concluded exactly once (see conclude.ts); never global.
 * It has one owner, one cancellation (`cancel`, with the cause kept in `signal.reason`) and one outcome: an `answer`,
 * a streamed attempt, or a `failure`.
 */
import type { Dialect, RequestView } from "../dialects/dialect.ts";
import { HeadgateError } from "../kernel/errors.ts";
import type { Hold } from "../storage/records.ts";
import type { Price } from "../accounting/price-book.ts";
import type { Pass } from "../limits/queue/pass.ts";
import type { Rates, Reservation } from "../limits/limits.ts";
import type { Principal } from "../tenancy/principal.ts";
import type { Attempt } from "./attempt/attempt.ts";
import type { Endpoint } from "../providers/endpoint.ts";
import type { Responder } from "./responder.ts";
import type { Snapshot } from "./snapshot.ts";

export type CancelCause = "caller-gone" | "shutdown";

/** What came in with the head of the request. */
export interface Incoming {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Reads the whole body within the limits. Throws `body_too_large`, `body_timeout`, `overloaded`, `client_closed`. */
  readBody(): Promise<Uint8Array>;
  /** Ends a reading that is under way with this failure; `false` if there is none. */
  refuseBody(failure: HeadgateError): boolean;
}

/** A whole answer, made here or by a provider. */
export interface Answer {
  readonly status: number;
  readonly body: Uint8Array;
}

/** An attempt with its hold and what it takes to settle it. */
export interface OpenAttempt {
  readonly hold: Hold;
  readonly attempt: Attempt;
  readonly endpoint: Endpoint;
  readonly price: Price | null;
}

export function shuttingDown(): HeadgateError {
  return new HeadgateError("shutting_down", "The gateway shut down before the answer was complete.", {
    retryAfterMs: SHUTDOWN_RETRY_AFTER_MS,
  });
}

export function callerGone(): HeadgateError {
  return new HeadgateError("client_closed", "The caller closed the connection before the answer was complete.");
}

/** By then another process has taken over, or this one is back. */
const SHUTDOWN_RETRY_AFTER_MS = 1_000;

export class Exchange {
  readonly requestId: string;
  readonly incoming: Incoming;
  readonly responder: Responder;
  readonly snapshot: Snapshot;
  /** The dialect of the path; errors are rendered in it. */
  readonly dialect: Dialect;
  readonly startedAtMs: number;
  /** Monotonic. */
  readonly startedMs: number;
  principal: Principal | null = null;
  view: RequestView | null = null;
  bytesIn = 0;
  /** When admission was over, monotonic. */
  admittedMs: number | null = null;
  /** Its place in front of a target that is bounded; `null` where it is not. */
  pass: Pass | null = null;
  /** What is held of allowances; settled by `conclude`. */
  reservation: Reservation | null = null;
  /** Where rates stood when one refused the request. */
  refusedRates: Rates | null = null;
  /** The most output tokens of an answer, where the caller allowed the gateway to lower its bound and it did. */
  outputBound: number | null = null;
  readonly attempts: OpenAttempt[] = [];
  answer: Answer | null = null;
  failure: HeadgateError | null = null;
  #cause: CancelCause | null = null;

  constructor(
    head: { readonly requestId: string; readonly startedAtMs: number; readonly startedMs: number },
    incoming: Incoming,
    responder: Responder,
    snapshot: Snapshot,
    dialect: Dialect,
  ) {
    this.requestId = head.requestId;
    this.startedAtMs = head.startedAtMs;
    this.startedMs = head.startedMs;
    this.incoming = incoming;
    this.responder = responder;
    this.snapshot = snapshot;
    this.dialect = dialect;
  }

  get cancelCause(): CancelCause | null {
    return this.#cause;
  }

  get lastAttempt(): OpenAttempt | null {
    return this.attempts.at(-1) ?? null;
  }

  /**
   * The first cause is the one that is told. Cancels the attempt under way: at once for a shutdown, even where its
   * tail is being read after its caller has left; for a caller who leaves, by the provider's policy.
   */
  cancel(cause: CancelCause): void {
    const first = this.#cause === null;
    this.#cause ??= cause;
    this.pass?.cancel(cause === "shutdown" ? shuttingDown() : callerGone());
    const open = this.lastAttempt;
    if (cause === "shutdown") {
      this.incoming.refuseBody(shuttingDown());
      open?.attempt.cancel(0);
    } else if (first && open !== null) {
      const { callerGone, drainMs } = open.endpoint.config;
      open.attempt.cancel(callerGone === "drain" ? drainMs : 0);
    }
  }

  /** The caller reads again. */
  resume(): void {
    this.lastAttempt?.attempt.resume();
  }
}
