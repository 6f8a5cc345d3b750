/**
 * The real transport: undici's dispatcher, one connection pool an origin, HTTP/1.1 without pipelining. Undici's own
 * body and header timeouts are off because the attempt's timers cancel what they were waiting for; only the dial has
 * one here, since undici offers no other way to give up a connection that does not come about.
 *
 * A pool lets calls wait for a connection, which would look to the attempt like a dial that takes long. So they are counted
 * here, and one that would have to wait ends at once with `ConnectionsInUse`.
 */
import { Pool, type Dispatcher } from "undici";
import {
  ConnectionsInUse,
  type Transport,
  type UpstreamCall,
  type UpstreamHandler,
  type UpstreamRequest,
} from "./transport.ts";

export interface UndiciTransportOptions {
  /** Longest wait for TCP and TLS, in milliseconds. */
  readonly connectTimeoutMs: number;
  /** Open connections per origin; further calls are not made. */
  readonly connectionsMax: number;
}

/**
 * How long a connection that nobody uses is kept warm where the provider does not say for how long it keeps it itself
 * (undici's default, 4 s, would dial anew for every request of a quiet gateway). Who meets one that the provider has just
 * closed is called again, like after any reset before an answer.
 */
const IDLE_MS = 60_000;

/** An origin, and what of its connections is in use. */
interface Origin {
  readonly pool: Pool;
  /** Calls that undici was given and is not done with, without those that were released. */
  calls: number;
  /** In the order of their release. */
  readonly released: Set<UndiciCall>;
}

export function createUndiciTransport(options: UndiciTransportOptions): Transport {
  const origins = new Map<string, Origin>();

  function originOf(origin: string): Origin {
    let known = origins.get(origin);
    if (known === undefined) {
      const pool = new Pool(origin, {
        connections: options.connectionsMax,
        pipelining: 1,
        connect: { timeout: options.connectTimeoutMs },
        keepAliveTimeout: IDLE_MS,
        headersTimeout: 0,
        bodyTimeout: 0,
        allowH2: false,
      });
      known = { pool, calls: 0, released: new Set() };
      origins.set(origin, known);
    }
    return known;
  }

  return {
    send(request, handler) {
      const origin = originOf(request.origin);
      const call = new UndiciCall(handler, origin);
      const excess = origin.calls - options.connectionsMax;
      if (excess > 0) {
        call.refuse(new ConnectionsInUse(request.origin, options.connectionsMax));
      } else {
        if (excess + origin.released.size > 0) origin.released.values().next().value?.abort();
        origin.pool.dispatch(dispatchOptions(request), call);
      }
      return call;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(Array.from(origins.values(), ({ pool }) => pool.destroy()));
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
  readonly #origin: Origin;
  #controller: Dispatcher.DispatchController | null = null;
  #aborted = false;
  #connection: "used" | "released" | "left" = "used";

  constructor(handler: UpstreamHandler, origin: Origin) {
    this.#handler = handler;
    this.#origin = origin;
    origin.calls++;
  }

  /** Instead of being dispatched. Told later, as of every call. */
  refuse(error: Error): void {
    queueMicrotask(() => this.onResponseError(null, error));
  }

  abort(): void {
    if (this.#aborted) return;
    this.#aborted = true;
    if (this.#connection === "released") this.#leave();
    this.#controller?.abort(new CallAborted());
  }

  release(): void {
    if (this.#connection !== "used") return;
    this.#connection = "released";
    this.#origin.calls--;
    this.#origin.released.add(this);
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
    this.#leave();
    if (this.#aborted) return;
    this.#aborted = true;
    this.#handler.onEnd();
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    this.#leave();
    if (this.#aborted) return;
    this.#aborted = true;
    this.#handler.onError(error);
  }

  #leave(): void {
    if (this.#connection === "released") this.#origin.released.delete(this);
    else if (this.#connection === "used") this.#origin.calls--;
    this.#connection = "left";
  }
}

/** What undici is given as the reason of an abort. Never shown: the attempt knows why it aborted. */
class CallAborted extends Error {
  override readonly name = "CallAborted";
}
