/**
 * The caller's connection while a stream's answer is waited for or held back: comments keep idle proxies on the way from
 * closing it. Before the answer has begun they take the response's head with them, and with it the status; so that
 * happens only once a provider has accepted the request, and what fails later is told by an event of the stream.
 */
import type { Clock } from "../../kernel/clock.ts";
import { Heartbeat, type HeartbeatLine } from "../../streaming/heartbeat.ts";
import type { Plan, Target } from "../../routing/plan.ts";
import type { Attempt } from "../attempt/attempt.ts";
import { openHeadEarly, type CallThatLost, type YetToBegin } from "../conclusion/response-headers.ts";
import type { Exchange } from "../exchange.ts";

/** What of an exchange the line needs. */
export type HeldLine = Omit<YetToBegin, "attempts"> &
  Pick<Exchange, "view" | "cancelCause" | "dialect" | "snapshot"> & {
    readonly attempts: readonly { readonly attempt: Pick<Attempt, "answered"> & { readonly call: CallThatLost } }[];
  };

/**
 * `targets`: who may answer. `headWithinMs`: for how long the caller waits for the response's head. `null`: the response is no stream, its dialect has
 * no comments, or there is no need: `server.heartbeatMs` is 0, and the caller waits for however long.
 */
export function startHeartbeat(
  clock: Clock,
  exchange: HeldLine,
  { targets }: Pick<Plan, "targets">,
  headWithinMs: number,
): Heartbeat | null {
  const { heartbeatMs } = exchange.snapshot.config.server;
  const comment = exchange.dialect.inbound?.heartbeat ?? NOTHING;
  const everyMs = Math.min(heartbeatMs === 0 ? Infinity : heartbeatMs, headWithinMs / BEATS_BEFORE_HEAD);
  if (everyMs === Infinity || exchange.view?.stream !== true || comment.byteLength === 0) return null;
  return new Heartbeat(
    clock,
    everyMs,
    new CallerLine(exchange, comment, targets.length === 1 ? (targets[0] ?? null) : null),
  );
}

class CallerLine implements HeartbeatLine {
  readonly #exchange: HeldLine;
  readonly #comment: Uint8Array;
  /** The one target that can answer; `null`: there are several. */
  readonly #only: Target | null;

  constructor(exchange: HeldLine, comment: Uint8Array, only: Target | null) {
    this.#exchange = exchange;
    this.#only = only;
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
      openHeadEarly(this.#exchange, this.#only);
    }
    responder.write(this.#comment);
  }
}

/** So that one of them comes after a provider has accepted the request and before the caller has given up. */
const BEATS_BEFORE_HEAD = 4;
const NOTHING = new Uint8Array(0);
