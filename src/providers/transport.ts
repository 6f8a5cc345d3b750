/**
 * How bytes reach a provider and come back. The interface is the seam for tests and simulations; the real one is
 * `createUndiciTransport`. It retries nothing, follows no redirect and owns no timer: the attempt does.
 */
export interface Transport extends AsyncDisposable {
  /** Starts a call. Exactly one of `onEnd` and `onError` follows, unless `abort` is called: then neither does. */
  send(request: UpstreamRequest, handler: UpstreamHandler): UpstreamCall;
}

export interface UpstreamRequest {
  readonly method: "GET" | "POST";
  /** Scheme, host and port. */
  readonly origin: string;
  readonly path: string;
  /** Alternating names and values. */
  readonly headers: readonly string[];
  readonly body: Uint8Array | null;
}

export type UpstreamHeaders = Readonly<Record<string, string | string[] | undefined>>;

export interface UpstreamHandler {
  /** A connection is there and the request is being written to it. */
  onSent(): void;
  onHeaders(status: number, headers: UpstreamHeaders): void;
  onData(chunk: Uint8Array): void;
  onEnd(): void;
  onError(error: Error): void;
}

/**
 * All connections that may be opened to an origin are in use: the call was not made, and waits for none. It says nothing of
 * the provider, who was not asked.
 */
export class ConnectionsInUse extends Error {
  override readonly name = "ConnectionsInUse";
  readonly most: number;

  constructor(origin: string, most: number) {
    super(`All ${most} connections to ${origin} are in use.`);
    this.most = most;
  }
}

export interface UpstreamCall {
  /** Idempotent. The connection is closed at once; a call still waiting for one never sends its request. */
  abort(): void;
  /** Nothing is missing but its end: it is let come, so that the connection can be used again, until another needs it. */
  release(): void;
  pause(): void;
  resume(): void;
}
