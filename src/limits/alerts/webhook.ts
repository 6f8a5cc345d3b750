/**
 * One call of the operator's webhook, signed as Standard Webhooks 1.0 says: HMAC-SHA256 over id, time of the try and body,
 * joined by full stops, with the key that `whsec_` and base64 spell.
 */
import { createHmac } from "node:crypto";
import type { Clock } from "../../kernel/clock.ts";

export interface Webhook {
  /** Absolute. */
  readonly url: string;
  /** `whsec_` and base64. */
  readonly secret: string;
}

export interface WebhookMessage {
  /** The same in every try, without full stops. */
  readonly id: string;
  /** JSON. */
  readonly body: string;
}

/** What the gateway's transport to providers offers, as far as a webhook needs it. */
export interface WebhookTransport {
  send(request: WebhookRequest, handler: WebhookHandler): { abort(): void };
}

export interface WebhookRequest {
  readonly method: "POST";
  /** Scheme, host and port. */
  readonly origin: string;
  readonly path: string;
  /** Alternating names and values. */
  readonly headers: readonly string[];
  readonly body: Uint8Array;
}

/** Exactly one of `onEnd` and `onError` follows, unless the call was aborted. */
export interface WebhookHandler {
  onSent(): void;
  onHeaders(status: number): void;
  onData(chunk: Uint8Array): void;
  onEnd(): void;
  onError(error: Error): void;
}

export interface WebhookDeps {
  readonly transport: WebhookTransport;
  readonly clock: Clock;
}

/** For the whole exchange; the specification advises 15 to 30 seconds. */
const TIMEOUT_MS = 15_000;
/** Of the answer, which nobody reads. */
const ANSWER_BYTES_MAX = 65_536;
const SECRET_PREFIX = "whsec_";

/** Resolves with the status. Rejects with the transport's error, when there is no answer in time, or when aborted. */
export function callWebhook(
  { transport, clock }: WebhookDeps,
  webhook: Webhook,
  message: WebhookMessage,
  signal: AbortSignal,
): Promise<number> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  let call: { abort(): void } | null = null;
  let status: number | null = null;
  let bytes = 0;
  /** Once the status is there, nothing that follows can change what it says. */
  const finish = (failure: Error): void => {
    if (status === null) reject(failure);
    else resolve(status);
  };
  const stop = (reason: Error): void => {
    call?.abort();
    finish(reason);
  };
  const onAbort = (): void => stop(signal.reason as Error);
  const timer = clock.setTimer(() => stop(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)), TIMEOUT_MS);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    call = transport.send(createRequest(webhook, message, clock.wallMs()), {
      onSent: () => {},
      onHeaders: (received) => {
        status = received;
      },
      onData: (chunk) => {
        bytes += chunk.byteLength;
        if (bytes > ANSWER_BYTES_MAX) stop(new Error("the answer is too long"));
      },
      onEnd: () => finish(new Error("the answer has no status")),
      onError: finish,
    });
  } catch (error) {
    reject(error);
  }
  return promise.finally(() => {
    timer.cancel();
    signal.removeEventListener("abort", onAbort);
  });
}

/** `v1,` and base64. `timestamp` in whole seconds since the epoch. */
export function signWebhook(secret: string, id: string, timestamp: number, body: string): string {
  const key = Buffer.from(secret.slice(SECRET_PREFIX.length), "base64");
  return `v1,${createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64")}`;
}

function createRequest({ url, secret }: Webhook, { id, body }: WebhookMessage, nowMs: number): WebhookRequest {
  const { origin, pathname, search } = new URL(url);
  const timestamp = Math.floor(nowMs / 1000);
  const headers = [
    ["content-type", "application/json"],
    ["user-agent", "headgate"],
    ["webhook-id", id],
    ["webhook-timestamp", String(timestamp)],
    ["webhook-signature", signWebhook(secret, id, timestamp, body)],
  ];
  return { method: "POST", origin, path: pathname + search, headers: headers.flat(), body: Buffer.from(body) };
}
