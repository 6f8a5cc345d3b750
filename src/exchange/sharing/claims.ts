/**
 * This process's claims of `Idempotency-Key`s in the store, for all processes: a key is claimed before its request is
 * made, and kept or released when it is over. While claims are held their leases are renewed; when this process dies
 * they end, and the next request with such a key is made anew.
 */
import type { Clock, Timer } from "../../kernel/clock.ts";
import { HeadgateError } from "../../kernel/errors.ts";
import type { IdSource } from "../../kernel/ids.ts";
import type { AnswerStore, ClaimRequest, KeptAnswer, KeyClaim } from "../../storage/answers/answers.ts";
import type { Telemetry } from "../../telemetry/telemetry.ts";
import { Pause } from "../course/pause.ts";
import { describeDeadline, type CallerDeadline } from "../deadline.ts";
import type { Exchange } from "../exchange.ts";

export interface ClaimsDeps {
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly answers: AnswerStore;
  readonly telemetry: Pick<Telemetry, "backgroundFailed" | "warn">;
}

export type Claimed = { readonly claim: KeyClaim } | { readonly answer: KeptAnswer };

/** How long a claim outlives its process. */
const LEASE_MS = 15_000;
const RENEW_MS = 5_000;
/** How long a request waits for one with the same key in another process before it is told to come again. */
const WAIT_MS = 30_000;
const POLL_MS = 50;
const POLL_MS_MAX = 1_000;
/** How long an answer waits for what is kept of it. */
const KEEP_MS = 1_000;

export class KeyClaims {
  readonly #deps: ClaimsDeps;
  readonly #held = new Set<string>();
  #renewal: Timer | null = null;
  #isStopped = false;

  constructor(deps: ClaimsDeps) {
    this.#deps = deps;
  }

  /**
   * Waits while another process makes the same request; `null` if the exchange is cancelled meanwhile. Rejects with
   * `idempotency_mismatch`, `idempotency_running`, `idempotency_answer_lost`, `deadline_exceeded`, `storage_unavailable`.
   */
  async take(
    exchange: Exchange,
    request: Pick<ClaimRequest, "keyHash" | "tenantId" | "fingerprint">,
    deadline: CallerDeadline,
  ): Promise<Claimed | null> {
    const { clock, ids, answers } = this.#deps;
    const claim = { keyHash: request.keyHash, claimId: ids.next("clm") };
    const giveUpMs = clock.monotonicMs() + WAIT_MS;
    for (let waitMs = POLL_MS; ; waitMs = Math.min(2 * waitMs, POLL_MS_MAX)) {
      const result = await answers.claim({ ...request, ...claim, leaseMs: LEASE_MS });
      if (result.state === "claimed") {
        this.#hold(claim.claimId);
        return { claim };
      }
      if (result.fingerprint !== request.fingerprint) throw mismatch();
      if (result.state === "answered") {
        if (result.answer === null) throw answerLost();
        return { answer: result.answer };
      }
      if (exchange.cancelCause !== null) return null;
      const leftMs = this.#leftMs(giveUpMs, deadline);
      await exchange.pause(new Pause(clock, Math.min(waitMs, leftMs)));
      if (exchange.cancelCause !== null) return null;
    }
  }

  /** The request is answered, or failed for good. `null`: the answer is too large. Waits a second at the most. */
  async keep(claim: KeyClaim, answer: KeptAnswer | null, retentionMs: number): Promise<void> {
    const { answers, telemetry } = this.#deps;
    await this.#end(claim, "keeping the answer of an Idempotency-Key", async () => {
      if (await answers.keep(claim, answer, retentionMs)) return;
      telemetry.warn(
        "an answer is not kept under its Idempotency-Key, whose claim had ended: the store was out of reach",
      );
    });
  }

  /** The request can be made again. Waits a second at the most. */
  async release(claim: KeyClaim): Promise<void> {
    await this.#end(claim, "releasing an Idempotency-Key", () => this.#deps.answers.release(claim));
  }

  async #end(claim: KeyClaim, what: string, act: () => Promise<void>): Promise<void> {
    const pause = new Pause(this.#deps.clock, KEEP_MS);
    void this.#endLater(claim, what, act, pause);
    await pause.over;
  }

  async #endLater({ claimId }: KeyClaim, what: string, act: () => Promise<void>, waiting: Pause): Promise<void> {
    try {
      await act();
    } catch (thrown) {
      this.#deps.telemetry.backgroundFailed(what, thrown);
    } finally {
      this.#held.delete(claimId);
      waiting.cancel();
    }
  }

  /** From now on no lease is renewed. */
  stop(): void {
    this.#isStopped = true;
    this.#renewal?.cancel();
  }

  #hold(claimId: string): void {
    this.#held.add(claimId);
    this.#renewal ??= this.#deps.clock.setTimer(() => void this.#renew(), RENEW_MS);
  }

  async #renew(): Promise<void> {
    const { clock, answers, telemetry } = this.#deps;
    try {
      await answers.renew([...this.#held], LEASE_MS);
    } catch (thrown) {
      telemetry.backgroundFailed("renewing claims of Idempotency-Keys", thrown);
    }
    const goesOn = this.#held.size > 0 && !this.#isStopped;
    this.#renewal = goesOn ? clock.setTimer(() => void this.#renew(), RENEW_MS) : null;
  }

  /** How long it may still wait; throws when that is over. */
  #leftMs(giveUpMs: number, deadline: CallerDeadline): number {
    const nowMs = this.#deps.clock.monotonicMs();
    const dueMs = Math.min(deadline.totalDueMs, deadline.firstOutputDueMs);
    if (nowMs >= dueMs) {
      const message = `${describeDeadline(deadline)} was over while another process made the same request. Repeat it with the same Idempotency-Key to get its answer.`;
      throw new HeadgateError("deadline_exceeded", message);
    }
    if (nowMs >= giveUpMs) throw stillRunning();
    return Math.min(dueMs, giveUpMs) - nowMs;
  }
}

export function mismatch(): HeadgateError {
  return new HeadgateError(
    "idempotency_mismatch",
    "This Idempotency-Key was used for another request. Use a new key for each request, and the same only to repeat it unchanged.",
    { param: "idempotency-key" },
  );
}

/** Neither joined nor made a second time. */
export function stillRunning(): HeadgateError {
  return new HeadgateError(
    "idempotency_running",
    "The request with this Idempotency-Key is still running. Repeat it with the same key in a moment to get its answer.",
    { param: "idempotency-key", retryAfterMs: 1000 },
  );
}

function answerLost(): HeadgateError {
  return new HeadgateError(
    "idempotency_answer_lost",
    "The request with this Idempotency-Key was answered, but its answer was larger than idempotency.answerBytes and is not kept. Use another key to have it made, and charged, again.",
    { param: "idempotency-key" },
  );
}
