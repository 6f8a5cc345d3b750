import type { Clock } from "../kernel/clock.ts";
import type { Transport, UpstreamCall, UpstreamHandler, UpstreamHeaders, UpstreamRequest } from "./transport.ts";

export interface JsonRequest {
  readonly origin: string;
  readonly path: string;
  /** Alternating names and values. */
  readonly headers: readonly string[];
  /** For the whole exchange. */
  readonly timeoutMs: number;
  /** Of the answer's body; more is an error. */
  readonly bytesMax: number;
}

export interface JsonAnswer {
  readonly status: number;
  readonly headers: UpstreamHeaders;
  /** `null` if the body is not JSON. */
  readonly json: unknown;
}

/**
 * One small GET beside the request path: model lists, usage lookups, health checks. Rejects with the transport's error,
 * with `AnswerTooLate` or `AnswerTooLong`, and with the signal's reason when aborted; the call is closed in each case.
 */
export function getJson(
  transport: Transport,
  clock: Clock,
  request: JsonRequest,
  signal: AbortSignal,
): Promise<JsonAnswer> {
  return call(transport, clock, { ...request, method: "GET", body: null }, signal);
}

/** The same for a small POST. */
export function postJson(
  transport: Transport,
  clock: Clock,
  request: JsonRequest & { readonly body: Uint8Array },
  signal: AbortSignal,
): Promise<JsonAnswer> {
  return call(transport, clock, { ...request, method: "POST" }, signal);
}

type JsonCall = JsonRequest & Pick<UpstreamRequest, "method" | "body">;

function call(transport: Transport, clock: Clock, request: JsonCall, signal: AbortSignal): Promise<JsonAnswer> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<JsonAnswer>();
  let open: UpstreamCall | null = null;
  const give = (reason: Error): void => {
    open?.abort();
    reject(reason);
  };
  const onAbort = (): void => give(signal.reason as Error);
  const timer = clock.setTimer(() => give(new AnswerTooLate(request)), request.timeoutMs);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    const { method, origin, path, headers, body } = request;
    const collector = new Collector(request.bytesMax, resolve, give);
    open = transport.send({ method, origin, path, headers, body }, collector);
  } catch (reason) {
    reject(reason);
  }
  return promise.finally(() => {
    timer.cancel();
    signal.removeEventListener("abort", onAbort);
  });
}

class Collector implements UpstreamHandler {
  readonly #bytesMax: number;
  readonly #resolve: (answer: JsonAnswer) => void;
  readonly #reject: (reason: Error) => void;
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;
  #status = 0;
  #headers: UpstreamHeaders = {};

  constructor(bytesMax: number, resolve: (answer: JsonAnswer) => void, reject: (reason: Error) => void) {
    this.#bytesMax = bytesMax;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  onSent(): void {}

  onHeaders(status: number, headers: UpstreamHeaders): void {
    this.#status = status;
    this.#headers = headers;
  }

  onData(chunk: Uint8Array): void {
    this.#bytes += chunk.byteLength;
    this.#chunks.push(chunk);
    if (this.#bytes > this.#bytesMax) this.#reject(new AnswerTooLong(this.#bytesMax));
  }

  onEnd(): void {
    this.#resolve({ status: this.#status, headers: this.#headers, json: parse(Buffer.concat(this.#chunks)) });
  }

  onError(error: Error): void {
    this.#reject(error);
  }
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return null;
  }
}

export class AnswerTooLate extends Error {
  override readonly name = "AnswerTooLate";

  constructor(request: JsonRequest) {
    super(`${request.origin} did not answer within ${request.timeoutMs} ms`);
  }
}

class AnswerTooLong extends Error {
  override readonly name = "AnswerTooLong";

  constructor(bytesMax: number) {
    super(`the answer is longer than ${bytesMax} bytes`);
  }
}
