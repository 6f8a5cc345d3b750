/** One question to a provider outside of any request: whether it knows our credential, what a call used. Costs nothing. */
import type { Credential, Endpoint } from "../providers/endpoint.ts";
import type { Transport, UpstreamHeaders } from "../providers/transport.ts";
import type { Clock } from "../kernel/clock.ts";

export interface ProviderAnswer {
  readonly status: number;
  readonly headers: UpstreamHeaders;
  /** The first bytes of the body, as text. */
  readonly body: string;
}

export interface AskDeps {
  readonly transport: Transport;
  readonly clock: Clock;
}

const BODY_BYTES_MAX = 1024 * 1024;

/**
 * GET of a path below the endpoint's base. Rejects with the transport's error, with `NoAnswer` after `timeoutMs`, or
 * with the signal's reason; the call is then given up at once.
 */
export function askProvider(
  { transport, clock }: AskDeps,
  endpoint: Endpoint,
  credential: Credential,
  path: string,
  limits: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<ProviderAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<ProviderAnswer>();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  let head = { status: 0, headers: {} as UpstreamHeaders };
  const end = (): void => resolve({ ...head, body: Buffer.concat(chunks).toString("utf8") });
  const call = transport.send(
    {
      method: "GET",
      origin: endpoint.origin,
      path: `${endpoint.basePath}${path}`,
      headers: credential.headers,
      body: null,
    },
    {
      onSent: () => {},
      onHeaders: (status, headers) => {
        head = { status, headers };
      },
      onData: (chunk) => {
        bytes += chunk.byteLength;
        if (bytes <= BODY_BYTES_MAX) chunks.push(chunk);
        else end();
      },
      onEnd: end,
      onError: reject,
    },
  );
  const timer = clock.setTimer(() => reject(new NoAnswer(limits.timeoutMs)), limits.timeoutMs);
  const give = (): void => reject(limits.signal.reason as Error);
  limits.signal.addEventListener("abort", give, { once: true });
  return promise.finally(() => {
    timer.cancel();
    limits.signal.removeEventListener("abort", give);
    call.abort();
  });
}

export class NoAnswer extends Error {
  override readonly name = "NoAnswer";

  constructor(timeoutMs: number) {
    super(`no answer within ${timeoutMs} ms`);
  }
}
