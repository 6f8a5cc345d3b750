/**
 * Reads a request's body within limits of size and time. What is refused is refused as early as it can be known:
 * before a caller that waits for `100 Continue` has sent anything, and while a body is still arriving. The connection
 * of a refused body is closed after the answer, since its rest will not be read.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { BodyDue } from "../exchange/exchange.ts";
import type { Clock } from "../kernel/clock.ts";
import { HeadgateError } from "../kernel/errors.ts";
import type { BodyBudget } from "./body-budget.ts";

export interface BodyLimits {
  readonly bodyBytes: number;
  /** Of all bodies together. */
  readonly bufferedBytes: number;
  readonly bodyTimeoutMs: number;
}

export class RequestBody {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #clock: Clock;
  readonly #limits: BodyLimits;
  readonly #budget: BodyBudget;
  /** What is counted in the budget. */
  #bytes = 0;
  #settle: ((failure: HeadgateError | null) => void) | null = null;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    clock: Clock,
    limits: BodyLimits,
    budget: BodyBudget,
  ) {
    this.#request = request;
    this.#response = response;
    this.#clock = clock;
    this.#limits = limits;
    this.#budget = budget;
  }

  /**
   * Called once. Throws `body_too_large`, `body_timeout`, `client_closed`, `unsupported_media_type`, `overloaded`, what
   * `refuse` was given, or what `due` says when it passes first.
   */
  read(due: BodyDue | null): Promise<Uint8Array> {
    const refusal = refuseByHead(this.#request, this.#limits) ?? this.#refuseByBudget(announcedBytes(this.#request));
    if (refusal !== null) return Promise.reject(refusal);
    if (this.#request.headers.expect?.toLowerCase() === "100-continue") this.#response.writeContinue();
    return new Promise((resolve, reject) => {
      this.#collect(due, resolve, reject);
    });
  }

  /** Ends a reading that is under way; `false` if there is none. */
  refuse(failure: HeadgateError): boolean {
    if (this.#settle === null) return false;
    this.#settle(failure);
    return true;
  }

  /** The body is no longer needed. */
  release(): void {
    this.#budget.giveBack(this.#bytes);
    this.#bytes = 0;
  }

  #refuseByBudget(more: number): HeadgateError | null {
    const { bufferedBytes } = this.#limits;
    return this.#budget.fits(this.#bytes, more, bufferedBytes) ? null : noRoom(bufferedBytes);
  }

  #count(chunk: Buffer): HeadgateError | null {
    const refusal = this.#refuseByBudget(chunk.byteLength);
    if (refusal !== null) return refusal;
    this.#bytes += chunk.byteLength;
    this.#budget.take(chunk.byteLength);
    return this.#bytes > this.#limits.bodyBytes ? tooLarge(this.#limits.bodyBytes) : null;
  }

  #collect(due: BodyDue | null, resolve: (body: Uint8Array) => void, reject: (failure: HeadgateError) => void): void {
    const request = this.#request;
    const { bodyTimeoutMs } = this.#limits;
    const chunks: Buffer[] = [];
    const dueInMs = due === null ? Infinity : Math.max(0, due.atMs - this.#clock.monotonicMs());
    const timer =
      due !== null && dueInMs < bodyTimeoutMs
        ? this.#clock.setTimer(() => settle(due.passed()), Math.ceil(dueInMs))
        : this.#clock.setTimer(() => settle(tooSlow(bodyTimeoutMs, this.#bytes)), bodyTimeoutMs);
    const settle = (failure: HeadgateError | null): void => {
      this.#settle = null;
      timer.cancel();
      request.off("data", onData).off("end", onEnd).off("close", onClose);
      if (failure === null) {
        resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks));
        return;
      }
      request.pause();
      reject(failure);
    };
    const onData = (chunk: Buffer): void => {
      const refusal = this.#count(chunk);
      if (refusal === null) chunks.push(chunk);
      else settle(refusal);
    };
    function onEnd(): void {
      settle(null);
    }
    function onClose(): void {
      settle(new HeadgateError("client_closed", "The caller closed the connection before the body was complete."));
    }
    this.#settle = settle;
    request.on("data", onData).on("end", onEnd).on("close", onClose);
  }
}

/** `application/json` and its relatives (`application/vnd.api+json`), with or without parameters. */
const JSON_TYPE = /^application\/([\w.+-]+\+)?json\s*(;|$)/i;

function refuseByHead(request: IncomingMessage, limits: BodyLimits): HeadgateError | null {
  const { headers } = request;
  const encoding = headers["content-encoding"];
  if (encoding !== undefined && encoding !== "identity") {
    return new HeadgateError(
      "unsupported_media_type",
      `The body has content-encoding ${JSON.stringify(encoding.slice(0, 40))}; send it without compression.`,
      {
        param: "content-encoding",
      },
    );
  }
  const type = headers["content-type"];
  if (type !== undefined && !JSON_TYPE.test(type)) {
    return new HeadgateError(
      "unsupported_media_type",
      `The body has content-type ${JSON.stringify(type.slice(0, 80))}; send application/json.`,
      {
        param: "content-type",
      },
    );
  }
  if (announcedBytes(request) > limits.bodyBytes) return tooLarge(limits.bodyBytes);
  return null;
}

function announcedBytes({ headers }: IncomingMessage): number {
  return Number(headers["content-length"] ?? 0);
}

/** What a caller is told to wait before there may be room again. */
const RETRY_AFTER_MS = 1_000;

function noRoom(limit: number): HeadgateError {
  return new HeadgateError(
    "overloaded",
    `The bodies of open requests take ${limit} bytes already (limits.bufferedBytes). Try again shortly.`,
    { retryAfterMs: RETRY_AFTER_MS },
  );
}

function tooLarge(limit: number): HeadgateError {
  return new HeadgateError("body_too_large", `The body is larger than ${limit} bytes (limits.bodyBytes).`);
}

function tooSlow(limitMs: number, bytes: number): HeadgateError {
  return new HeadgateError(
    "body_timeout",
    `The body did not arrive within ${limitMs} ms (server.bodyTimeoutMs); ${bytes} bytes of it came.`,
  );
}
