/**
 * The real transport: undici's dispatcher, one connection pool an origin, HTTP/1.1 without pipelining. Undici's own
 * body and header timeouts are off because the attempt's timers cancel what they were waiting for; only the dial has
 * one here, since undici offers no other way to give up a connection that does not come about.
 *
 * A pool lets calls wait for a connection, which would look to the attempt like a dial that takes long. So they are counted
 * here, and one that would have to wait ends at once with `ConnectionsInUse`.
 *
 * A call that is aborted before it has a connection stays in undici's queue until the dial is over. It then holds nothing
 * but its head: neither the handler, and with it the request, nor a large body.
 */
import { Pool, type Dispatcher } from "undici";
import { LargeBody } from "./large-body.ts";
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

/** Smaller bodies are handed over as they are, which costs less. */
const LARGE_BYTES = 65_536;

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
      const { body } = request;
      const large = body !== null && body.byteLength >= LARGE_BYTES ? new LargeBody(body) : null;
      const call = new UndiciCall(handler, origin, large);
      const excess = origin.calls - options.connectionsMax;
      if (excess > 0) {
        call.refuse(new ConnectionsInUse(request.origin, options.connectionsMax));
      } else {
        if (excess + origin.released.size > 0) origin.released.values().next().value?.abort();
        origin.pool.dispatch(dispatchOptions(request, large), call);
      }
      return call;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(Array.from(origins.values(), ({ pool }) => pool.destroy()));
    },
  };
}

function dispatchOptions(request: UpstreamRequest, large: LargeBody | null): Dispatcher.DispatchOptions {
  const { method, path, headers, body } = request;
  if (large === null || body === null) return { method, path, headers: headers as string[], body };
  return {
    method,
    path,
    headers: [...headers, "content-length", String(body.byteLength)],
    // Any iterable is taken (lib/core/request.js), though the types name only some.
    body: large as Iterable<Uint8Array> as unknown as Uint8Array,
  };
}

/** One call, and the dispatcher's handler for it: one object instead of a closure per event. */
class UndiciCall implements UpstreamCall, Dispatcher.DispatchHandler {
  /** `null`: nobody wants to hear of it any more. */
  #handler: UpstreamHandler | null;
  readonly #origin: Origin;
  readonly #large: LargeBody | null;
  #controller: Dispatcher.DispatchController | null = null;
  #connection: "used" | "released" | "left" = "used";

  constructor(handler: UpstreamHandler, origin: Origin, large: LargeBody | null) {
    this.#handler = handler;
    this.#origin = origin;
    this.#large = large;
    origin.calls++;
  }

  /** Instead of being dispatched. Told later, as of every call. */
  refuse(error: Error): void {
    queueMicrotask(() => this.onResponseError(null, error));
  }

  abort(): void {
    if (this.#handler === null) return;
    this.#handler = null;
    this.#large?.drop();
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
    if (this.#handler === null) controller.abort(new CallAborted());
    else this.#handler.onSent();
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status >= 200) this.#handler?.onHeaders(status, headers);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#handler?.onData(chunk);
  }

  onResponseEnd(): void {
    this.#leave();
    this.#over()?.onEnd();
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    this.#leave();
    this.#over()?.onError(error);
  }

  /** Who is told of the end, once. */
  #over(): UpstreamHandler | null {
    const handler = this.#handler;
    this.#handler = null;
    return handler;
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
