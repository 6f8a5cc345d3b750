/**
 * The life of one request. Created at the edge, passed down, concluded exactly once (see conclude.ts); never global.
 * It has one owner, one cancellation (`cancel`, with the cause kept in `signal.reason`) and one outcome: an `answer`,
 * a streamed attempt, or a `failure`.
 */
import type { Dialect, RequestView } from "../dialects/dialect.ts";
import { HeadgateError, type ErrorCode } from "../kernel/errors.ts";
import type { Hold } from "../storage/records.ts";
import type { Price } from "../accounting/price-book.ts";
import type { Rates, Reservation } from "../limits/limits.ts";
import type { Pass } from "../limits/queue/pass.ts";
import type { Principal } from "../tenancy/principal.ts";
import type { Attempt } from "./attempt/attempt.ts";
import type { Pause } from "./course/pause.ts";
import type { Endpoint } from "../providers/endpoint.ts";
import type { Responder } from "./responder.ts";
import type { MayServe } from "./serving/may-serve.ts";
import type { Share } from "./sharing/share.ts";
import type { Snapshot } from "./snapshot.ts";

export type CancelCause = "caller-gone" | "shutdown";

export interface BodyDue {
  /** Monotonic; `Infinity`: never. */
  readonly atMs: number;
  passed(): HeadgateError;
}

/** What came in with the head of the request. */
export interface Incoming {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /**
   * Reads the whole body within the limits. Throws `body_too_large`, `body_timeout`, `overloaded`, `client_closed`, and
   * what `due` says when it passes before `body_timeout` would.
   */
  readBody(due: BodyDue | null): Promise<Uint8Array>;
  /** Ends a reading that is under way with this failure; `false` if there is none. */
  refuseBody(failure: HeadgateError): boolean;
}

/** A whole answer, made here or by a provider. */
export interface Answer {
  readonly status: number;
  readonly body: Uint8Array;
  /** The body is a whole event stream. Default: JSON. */
  readonly isStream?: boolean;
}

/** An attempt with its hold and what it takes to settle it. */
export interface OpenAttempt {
  readonly hold: Hold;
  readonly attempt: Attempt;
  readonly endpoint: Endpoint;
  /** Of the model that is called. */
  readonly price: Price | null;
  /** Other models that may serve it; `null` for nearly all. */
  readonly mayServe: MayServe | null;
}

/** Whether its call was made: the time for it may be over when its hold is written. */
export function isCalled({ attempt }: OpenAttempt): boolean {
  return attempt.startedAtMs !== null;
}

/** One call of a target, from its turn in the queue to its end (course/leg.ts). */
export interface ExchangeLeg {
  /** What is held of allowances for it. */
  readonly reservation: Reservation | null;
  /** The most output tokens, where the caller allowed the gateway to lower its bound and it did. */
  readonly outputBound: number | null;
  /** With its hold in the journal. `null`: it came to none. */
  readonly open: OpenAttempt | null;
  cancel(cause: CancelCause | "lost"): void;
  /** It is over, but not the request: what it holds and did not use is freed. Rejects with `storage_unavailable`. */
  free(): Promise<void>;
}

/** A target of the plan that was not called when its turn came. */
export interface PassedOver {
  /** `provider/model`. */
  readonly target: string;
  /** Monotonic. */
  readonly atMs: number;
  readonly code: ErrorCode;
}

/** A place in a line of a target: the request waits there, or did. */
export interface PlaceInLine {
  /** `provider/model`. */
  readonly target: string;
  readonly pass: Pick<Pass, "waitedMs">;
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
const NOBODY: readonly PassedOver[] = [];
const NOWHERE: readonly PlaceInLine[] = [];

export class Exchange {
  readonly requestId: string;
  readonly incoming: Incoming;
  /** Its caller's side; where others read the answer too, what they read from. */
  responder: Responder;
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
  /** Where rates stood when one refused the request. */
  refusedRates: Rates | null = null;
  /** What the caller gave as its deadline, from the beginning of the request; `null`: none, or it is not known yet. */
  deadlineMs: number | null = null;
  /** Its calls in the order in which they began; what they hold is settled by `conclude`. */
  readonly legs: ExchangeLeg[] = [];
  /** The call that the outcome rests on: the one that has won, else the last that failed. */
  decisive: ExchangeLeg | null = null;
  /** Of those calls that were made. */
  readonly attempts: OpenAttempt[] = [];
  /** Empty for nearly all. */
  passedOver: readonly PassedOver[] = NOBODY;
  /** Empty for nearly all. */
  placesInLine: readonly PlaceInLine[] = NOWHERE;
  /** What it has to do with the answers of other requests; `null` for nearly all. */
  share: Share | null = null;
  answer: Answer | null = null;
  failure: HeadgateError | null = null;
  #cause: CancelCause | null = null;
  #pause: Pause | null = null;

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

  /** The attempt that the caller and the record are told of. */
  get toldAttempt(): OpenAttempt | null {
    const decisive = this.decisive?.open ?? null;
    return decisive !== null && isCalled(decisive) ? decisive : (this.attempts.at(-1) ?? null);
  }

  /** Resolves when the pause is over, or the exchange is cancelled. */
  async pause(pause: Pause): Promise<void> {
    this.#pause = pause;
    if (this.#cause !== null) pause.cancel();
    await pause.over;
    this.#pause = null;
  }

  /**
   * The first cause is the one that is told. Cancels the calls under way: at once for a shutdown, even where the tail of
   * an answer is being read after its caller has left; for a caller who leaves, by the provider's policy. What others
   * read too goes on without its caller.
   */
  cancel(cause: CancelCause): void {
    if (this.share?.cancelled(cause) === true) return;
    this.#cause ??= cause;
    if (cause === "shutdown") this.incoming.refuseBody(shuttingDown());
    this.#pause?.cancel();
    for (const leg of this.legs) leg.cancel(cause);
  }

  /** It is over, and its answer handed over: what it holds of the memory for answers is free. */
  release(): void {
    for (const { open } of this.legs) open?.attempt.release();
  }

  /** The caller reads again. */
  resume(): void {
    if (this.share === null) this.resumeCall();
    else this.share.drained();
  }

  /** There is room for more of the answer. */
  resumeCall(): void {
    this.decisive?.open?.attempt.resume();
  }
}
