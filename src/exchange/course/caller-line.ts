/**
 * The caller's connection while a stream's answer is waited for or held back: comments keep idle proxies on the way from
 * closing it. Before the answer has begun they take the response's head with them, and with it the status; so that
 * happens only once a provider has accepted the request, and what fails later is told by an event of the stream.
 */
import type { Clock } from "../../kernel/clock.ts";
import { Heartbeat, type HeartbeatLine } from "../../streaming/heartbeat.ts";
import { openHeadEarly } from "../conclusion/response-headers.ts";
import type { Exchange } from "../exchange.ts";

/** What of an exchange the line needs. */
export type HeldLine = Pick<Exchange, "responder" | "requestId" | "view" | "cancelCause" | "dialect" | "snapshot"> & {
  readonly attempts: readonly { readonly attempt: { readonly answered: boolean } }[];
};

/** `null`: the response is no stream, its dialect has no comments, or `server.heartbeatMs` is 0. */
export function startHeartbeat(clock: Clock, exchange: HeldLine): Heartbeat | null {
  const { heartbeatMs } = exchange.snapshot.config.server;
  const comment = exchange.dialect.inbound?.heartbeat ?? NOTHING;
  if (heartbeatMs === 0 || exchange.view?.stream !== true || comment.byteLength === 0) return null;
  return new Heartbeat(clock, heartbeatMs, new CallerLine(exchange, comment));
}

class CallerLine implements HeartbeatLine {
  readonly #exchange: HeldLine;
  readonly #comment: Uint8Array;

  constructor(exchange: HeldLine, comment: Uint8Array) {
    this.#exchange = exchange;
    this.#comment = comment;
  }

  get bytesOut(): number {
    return this.#exchange.responder.bytesOut;
  }

  /** A caller who has not read what is there needs no more of it. */
  beat(): void {
    const { responder, attempts, cancelCause } = this.#exchange;
    if (cancelCause !== null || responder.unreadBytes > 0) return;
    if (!responder.headSent) {
      if (!attempts.some(({ attempt }) => attempt.answered)) return;
      openHeadEarly(this.#exchange);
    }
    responder.write(this.#comment);
  }
}

const NOTHING = new Uint8Array(0);
