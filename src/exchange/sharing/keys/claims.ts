/**
 * This process's claims of `Idempotency-Key`s in the store, for all processes: a key is claimed before its request is
 * made, and kept or released when it is over. While claims are held, also for answers that the store has not taken yet,
 * their leases are renewed; when this process dies they end, and the next request with such a key is made anew.
 */
import type { Clock, Timer } from "../../../kernel/clock.ts";
import { HeadgateError } from "../../../kernel/errors.ts";
import type { IdSource } from "../../../kernel/ids.ts";
import type { AnswerStore, KeptAnswer } from "../../../storage/answers/answers.ts";
import type { AnswerMemory } from "../../../streaming/answer-memory.ts";
import type { Telemetry } from "../../../telemetry/telemetry.ts";
import { Pause } from "../../course/pause.ts";
import { describeDeadline, type CallerDeadline } from "../../deadline.ts";
import type { Exchange } from "../../exchange.ts";
import { type OwnClaim, UnwrittenAnswers } from "./unwritten-answers.ts";

export interface ClaimsDeps {
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly answers: AnswerStore;
  readonly answerMemory: AnswerMemory;
  readonly telemetry: Pick<Telemetry, "backgroundFailed" | "warn">;
}

/** Of a request that waits for another with its key. */
export interface Patience extends CallerDeadline {
  /** When it is told to come again, monotonic. */
  readonly giveUpMs: number;
}

export type Claimed = { readonly claim: OwnClaim } | { readonly answer: KeptAnswer };

/**
 * How long a claim outlives its process: ten seconds without the store, with what passed since it was renewed, what a
 * store that is silent takes to be given up, and what it takes to renew it.
 */
const LEASE_MS = 25_000;
const RENEW_MS = 5_000;
const RENEW_AGAIN_MS = 1_000;
const POLL_MS = 50;
const POLL_MS_MAX = 1_000;
/** How long the end of a request waits for its key to be free. */
const RELEASE_MS = 1_000;

export class KeyClaims {
  readonly #deps: ClaimsDeps;
  readonly #held = new Set<string>();
  readonly #unwritten: UnwrittenAnswers;
  #renewal: Timer | null = null;
  /** The store, when claims were renewed last. */
  #isOutOfReach = false;
  #isStopped = false;

  constructor(deps: ClaimsDeps) {
    this.#deps = deps;
    this.#unwritten = new UnwrittenAnswers({
      ...deps,
      write: (claim, answer, retentionMs) => this.#write(claim, answer, retentionMs),
      over: ({ claimId }) => this.#held.delete(claimId),
    });
  }

  /**
   * Waits while another process makes the same request; `null` if the exchange is cancelled meanwhile. Rejects with
   * `idempotency_mismatch`, `idempotency_running`, `idempotency_answer_lost`, `deadline_exceeded`, `storage_unavailable`.
   */
  async take(exchange: Exchange, request: Omit<OwnClaim, "claimId">, patience: Patience): Promise<Claimed | null> {
    const { clock, ids, answers } = this.#deps;
    const { keyHash, tenantId, fingerprint } = request;
    const claim = { keyHash, tenantId, fingerprint, claimId: ids.next("clm") };
    for (let waitMs = POLL_MS; ; waitMs = Math.min(2 * waitMs, POLL_MS_MAX)) {
      const result = this.#unwritten.find(keyHash) ?? (await answers.claim({ ...claim, leaseMs: LEASE_MS }));
      if (result.state === "claimed") {
        this.#hold(claim.claimId);
        return { claim };
      }
      if (result.fingerprint !== fingerprint) throw mismatch();
      if (result.state === "answered") {
        if (result.answer === null) throw answerLost();
        return { answer: result.answer };
      }
      if (exchange.cancelCause !== null) return null;
      const leftMs = this.#leftMs(patience);
      await exchange.pause(new Pause(clock, Math.min(waitMs, leftMs)));
      if (exchange.cancelCause !== null) return null;
    }
  }

  /**
   * The request is answered, or failed for good. `null`: the answer is too large. Waits a second at the most; what the
   * store has not taken then is held, and given again by `take`, until it does.
   */
  keep(claim: OwnClaim, answer: KeptAnswer | null, retentionMs: number): Promise<void> {
    return this.#unwritten.keep(claim, answer, retentionMs);
  }

  /** The request can be made again. Waits a second at the most; if the store is away the key is free with its lease. */
  async release(claim: OwnClaim): Promise<void> {
    const pause = new Pause(this.#deps.clock, RELEASE_MS);
    void this.#release(claim, pause);
    await pause.over;
  }

  async #release(claim: OwnClaim, waiting: Pause): Promise<void> {
    const { answers, telemetry } = this.#deps;
    try {
      await answers.release(claim);
    } catch (thrown) {
      telemetry.backgroundFailed("releasing an Idempotency-Key", thrown);
    } finally {
      this.#held.delete(claim.claimId);
      waiting.cancel();
    }
  }

  /** From now on no lease is renewed. */
  stop(): void {
    this.#isStopped = true;
    this.#renewal?.cancel();
  }

  /** Stops; what the store has not taken until then it gets a second for. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.stop();
    await this.#unwritten[Symbol.asyncDispose]();
  }

  /** `false`: the key is another's. */
  async #write(claim: OwnClaim, answer: KeptAnswer | null, retentionMs: number): Promise<boolean> {
    const { answers } = this.#deps;
    if (await answers.keep(claim, answer, retentionMs)) return true;
    // The lease ended while the store was away: perhaps nobody has the key.
    const { state } = await answers.claim({ ...claim, leaseMs: LEASE_MS });
    return state === "claimed" && (await answers.keep(claim, answer, retentionMs));
  }

  #hold(claimId: string): void {
    this.#held.add(claimId);
    this.#renewal ??= this.#deps.clock.setTimer(() => void this.#renew(), RENEW_MS);
  }

  async #renew(): Promise<void> {
    const { clock, answers, telemetry } = this.#deps;
    let nextMs = RENEW_MS;
    try {
      await answers.renew([...this.#held], LEASE_MS);
      this.#isOutOfReach = false;
    } catch (thrown) {
      nextMs = RENEW_AGAIN_MS;
      if (!this.#isOutOfReach) telemetry.backgroundFailed("renewing claims of Idempotency-Keys", thrown);
      this.#isOutOfReach = true;
    }
    const goesOn = this.#held.size > 0 && !this.#isStopped;
    this.#renewal = goesOn ? clock.setTimer(() => void this.#renew(), nextMs) : null;
  }

  /** How long it may still wait; throws when that is over. */
  #leftMs(patience: Patience): number {
    const nowMs = this.#deps.clock.monotonicMs();
    const { giveUpMs } = patience;
    const dueMs = Math.min(patience.totalDueMs, patience.firstOutputDueMs);
    if (nowMs >= dueMs) {
      const message = `${describeDeadline(patience)} was over while another process made the same request. Repeat it with the same Idempotency-Key to get its answer.`;
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
    "The request with this Idempotency-Key was answered, but its answer is not kept: it was larger than idempotency.answerBytes, or the store was out of reach and limits.heldBytes had no room for it. Use another key to have it made, and charged, again.",
    { param: "idempotency-key" },
  );
}
