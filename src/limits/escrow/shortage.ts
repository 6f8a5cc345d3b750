/**
 * What the bank has refused lately, so that a flood of requests on an exhausted allowance asks it rarely; and the recall:
 * whether others were asked for what they have idle, and until when a request waits for that.
 *
 *   recalled ── requests wait for it ── waitMs ── nobody waits ── REFUSAL_MS ── over: it may be due again
 *
 * Invariant: only what is at least as large as what was refused counts as refused.
 */
import type { Amount } from "../../storage/escrow/bank.ts";

/** How long an answer of the bank counts, and that a recall was in vain. */
const REFUSAL_MS = 250;
/** The same at the most where it said when there is room: others may give back before that. */
const RATE_REFUSAL_MS_MAX = 1_000;
export class Shortage {
  readonly #waitMs: number;
  #need: Amount = 0n;
  #untilMs = 0;
  #roomAtMs: number | null = null;
  #recalledAtMs = -Infinity;

  /** `waitMs`: how long a request waits for a recall. */
  constructor(waitMs: number) {
    this.#waitMs = waitMs;
  }

  refused(need: Amount, retryAfterMs: number | null, nowMs: number): void {
    this.#need = need;
    this.#roomAtMs = retryAfterMs === null ? null : nowMs + retryAfterMs;
    this.#untilMs = nowMs + (retryAfterMs === null ? REFUSAL_MS : Math.min(retryAfterMs, RATE_REFUSAL_MS_MAX));
  }

  forget(): void {
    this.#untilMs = 0;
  }

  /** Whether asking for `need` is pointless. */
  covers(need: Amount, nowMs: number): boolean {
    return nowMs < this.#untilMs && need >= this.#need;
  }

  /** Of a rate: when there is room, as the bank said when it refused last. `null`: it said nothing. */
  roomInMs(nowMs: number): number | null {
    return this.#roomAtMs === null ? null : Math.max(1, Math.ceil(this.#roomAtMs - nowMs));
  }

  /** Whether requests wait for recalls at all. */
  get mayWait(): boolean {
    return this.#waitMs > 0;
  }

  isRecallDue(nowMs: number): boolean {
    return nowMs >= this.waitUntilMs + REFUSAL_MS;
  }

  recalled(nowMs: number): void {
    this.#recalledAtMs = nowMs;
  }

  /** The recall did not reach the bank. */
  recallFailed(): void {
    this.#recalledAtMs = -Infinity;
  }

  /** Until when a request waits for the last recall. */
  get waitUntilMs(): number {
    return this.#recalledAtMs + this.#waitMs;
  }
}
