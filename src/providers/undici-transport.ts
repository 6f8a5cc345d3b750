/**
 * The real transport: undici's dispatcher, one connection pool an origin, HTTP/1.1 without pipelining. Undici's own
 * body and header timeouts are off because the attempt's timers cancel what they were waiting for; only the dial has
 * one here, since undici offers no other way to give up a connection that does not come about.
 */
import { Pool, type Dispatcher } from "undici";
import type { Transport, UpstreamCall, UpstreamHandler, UpstreamRequest } from "./transport.ts";

export interface UndiciTransportOptions {
  /** Longest wait for TCP and TLS, in milliseconds. */
  readonly connectTimeoutMs: number;
  /** Open connections per origin; further calls wait for one under the attempt's connect timer. */
  readonly connectionsMax: number;
}

/**
 * How long a connection that nobody uses is kept warm where the provider does not say for how long it keeps it itself
 * (undici's default, 4 s, would dial anew for every request of a quiet gateway). Who meets one that the provider has just
 * closed is called again, like after any reset before an answer.
 */
const IDLE_MS = 60_000;

export function createUndiciTransport(options: UndiciTransportOptions): Transport {
  const pools = new Map<string, Pool>();

  function poolFor(origin: string): Pool {
    let pool = pools.get(origin);
    if (pool === undefined) {
      pool = new Pool(origin, {
        connections: options.connectionsMax,
        pipelining: 1,
        connect: { timeout: options.connectTimeoutMs },
        keepAliveTimeout: IDLE_MS,
        headersTimeout: 0,
        bodyTimeout: 0,
        allowH2: false,
      });
      pools.set(origin, pool);
    }
    return pool;
  }

  return {
    send(request, handler) {
      const call = new UndiciCall(handler);
      poolFor(request.origin).dispatch(dispatchOptions(request), call);
      return call;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(Array.from(pools.values(), (pool) => pool.destroy()));
    },
  };
}

function dispatchOptions(request: UpstreamRequest): Dispatcher.DispatchOptions {
  return {
    method: request.method,
    path: request.path,
    headers: request.headers as string[],
    body: request.body,
  };
}

/** One call, and the dispatcher's handler for it: one object instead of a closure per event. */
class UndiciCall implements UpstreamCall, Dispatcher.DispatchHandler {
  readonly #handler: UpstreamHandler;
  #controller: Dispatcher.DispatchController | null = null;
  #aborted = false;

  constructor(handler: UpstreamHandler) {
    this.#handler = handler;
  }

  abort(): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#controller?.abort(new CallAborted());
  }

  pause(): void {
    this.#controller?.pause();
  }

  resume(): void {
    this.#controller?.resume();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#aborted) controller.abort(new CallAborted());
    else this.#handler.onSent();
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (!this.#aborted && status >= 200) this.#handler.onHeaders(status, headers);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#aborted) this.#handler.onData(chunk);
  }

  onResponseEnd(): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#handler.onEnd();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#handler.onError(error);
  }
}

/** What undici is given as the reason of an abort. Never shown: the attempt knows why it aborted. */
class CallAborted extends Error {
  override readonly name = "CallAborted";
}
