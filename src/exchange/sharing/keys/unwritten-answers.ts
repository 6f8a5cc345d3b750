/**
 * Answers under `Idempotency-Key`s on their way to the store. What the store does not take within a second, because it is
 * away or slow, is held: repetitions in this process get it from memory, its claim goes on being renewed, and it is
 * written once the store takes it.
 *
 *   keep ──▶ over: written, or the claim is another process's
 *     └────▶ held ──▶ tried again, once a second ──▶ over
 *               └── its retention is over, or the process ends ──▶ over
 *
 * Invariants: the bytes of what is held count in `limits.heldBytes`, all of them; where there is no room it is held that
 * the request was answered, so that it is not made again. One that cannot be written does not keep the others from it.
 */
import type { Clock, Timer } from "../../../kernel/clock.ts";
import type { ClaimRequest, ClaimResult, KeptAnswer } from "../../../storage/answers/answers.ts";
import { type AnswerMemory, UNCOUNTED_BYTES } from "../../../streaming/answer-memory.ts";
import type { Telemetry } from "../../../telemetry/telemetry.ts";
import { Pause } from "../../course/pause.ts";

export interface UnwrittenAnswersDeps {
  readonly clock: Clock;
  readonly answerMemory: AnswerMemory;
  readonly telemetry: Pick<Telemetry, "backgroundFailed" | "warn">;
  /** In the store. `false`: the key is another's. Rejects with `storage_unavailable`. */
  readonly write: (claim: OwnClaim, answer: KeptAnswer | null, retentionMs: number) => Promise<boolean>;
  /** Nothing more will be written under the claim. */
  readonly over: (claim: OwnClaim) => void;
}

/** Of this process, with what it takes to claim the key again. */
export type OwnClaim = Omit<ClaimRequest, "leaseMs">;

interface Unwritten {
  readonly claim: OwnClaim;
  /** `null`: too large, or there was no room for it. */
  answer: KeptAnswer | null;
  readonly retentionMs: number;
  /** Until when it is kept, monotonic. */
  readonly untilMs: number;
  /** That are counted. */
  heldBytes: number;
  isBeingWritten: boolean;
  hasFailed: boolean;
  isOver: boolean;
}

/** How long an answer waits for what is kept of it, and the end of the process for what is held. */
const KEEP_MS = 1_000;
const RETRY_MS = 1_000;
const HELD_MAX = 10_000;

export class UnwrittenAnswers {
  readonly #deps: UnwrittenAnswersDeps;
  /** By the hash of the key; what was tried last comes last. */
  readonly #held = new Map<string, Unwritten>();
  #timer: Timer | null = null;
  #round: Promise<void> | null = null;
  #isStopped = false;

  constructor(deps: UnwrittenAnswersDeps) {
    this.#deps = deps;
  }

  /** As the store would say it. `null`: nothing is held under the key. */
  find(keyHash: string): ClaimResult | null {
    const held = this.#held.get(keyHash);
    if (held === undefined || this.#isPast(held)) return null;
    return { state: "answered", fingerprint: held.claim.fingerprint, answer: held.answer };
  }

  /** Resolves when the answer is written or held, or the claim lost: after a second at the most. */
  async keep(claim: OwnClaim, answer: KeptAnswer | null, retentionMs: number): Promise<void> {
    const { clock } = this.#deps;
    const untilMs = clock.monotonicMs() + retentionMs;
    const fresh = { heldBytes: 0, isBeingWritten: false, hasFailed: false, isOver: false };
    const unwritten = { claim, answer, retentionMs, untilMs, ...fresh };
    const pause = new Pause(clock, KEEP_MS);
    void this.#write(unwritten, pause);
    await pause.over;
    if (!unwritten.isOver) this.#hold(unwritten);
  }

  /** Tries once more, for a second at the most, and gives up what the store has not taken then. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { clock, telemetry } = this.#deps;
    this.#isStopped = true;
    this.#timer?.cancel();
    if (this.#held.size === 0) return;
    const pause = new Pause(clock, KEEP_MS);
    await Promise.race([this.#round ?? this.#writeAll(), pause.over]);
    pause.cancel();
    const answers = this.#held.size;
    for (const unwritten of this.#held.values()) this.#end(unwritten);
    if (answers > 0) telemetry.warn(NEVER_KEPT, { answers });
  }

  #hold(unwritten: Unwritten): void {
    const { answerMemory, telemetry } = this.#deps;
    const bytes = unwritten.answer?.body.byteLength ?? 0;
    if (this.#held.size >= HELD_MAX) {
      telemetry.warn(NEVER_KEPT, { answers: 1 });
      return this.#end(unwritten);
    }
    // However small: how many are held is not bounded by the number of requests.
    if (answerMemory.grow(UNCOUNTED_BYTES, bytes)) {
      unwritten.heldBytes = bytes;
    } else {
      unwritten.answer = null;
      telemetry.warn(
        "an answer cannot be given again under its Idempotency-Key: the store is out of reach, and limits.heldBytes is reached",
      );
    }
    this.#held.set(unwritten.claim.keyHash, unwritten);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isStopped || this.#held.size === 0) return;
    this.#timer ??= this.#deps.clock.setTimer(() => void this.#retry(), RETRY_MS);
  }

  async #retry(): Promise<void> {
    this.#round = this.#writeAll();
    await this.#round;
    this.#round = null;
    this.#timer = null;
    this.#schedule();
  }

  /** Up to one that the store does not take; at the end of the process all. */
  async #writeAll(): Promise<void> {
    for (const unwritten of this.#held.values()) {
      if (unwritten.isBeingWritten) continue;
      if (this.#isPast(unwritten)) {
        this.#end(unwritten);
        continue;
      }
      await this.#write(unwritten);
      if (unwritten.isOver || this.#isStopped) continue;
      const { keyHash } = unwritten.claim;
      this.#held.delete(keyHash);
      this.#held.set(keyHash, unwritten);
      return;
    }
  }

  /** Never rejects: what fails is not over. `waiting`: who waits for it no longer than that. */
  async #write(unwritten: Unwritten, waiting: Pause | null = null): Promise<void> {
    const { telemetry, write } = this.#deps;
    const { claim, answer, retentionMs } = unwritten;
    unwritten.isBeingWritten = true;
    try {
      if (!(await write(claim, answer, retentionMs))) telemetry.warn(CLAIM_LOST);
      this.#end(unwritten);
    } catch (thrown) {
      if (!unwritten.hasFailed) telemetry.backgroundFailed("keeping the answer of an Idempotency-Key", thrown);
      unwritten.hasFailed = true;
    } finally {
      unwritten.isBeingWritten = false;
      waiting?.cancel();
    }
  }

  #end(unwritten: Unwritten): void {
    if (unwritten.isOver) return;
    unwritten.isOver = true;
    const { claim, heldBytes } = unwritten;
    if (this.#held.get(claim.keyHash) === unwritten) this.#held.delete(claim.keyHash);
    this.#deps.answerMemory.giveBack(UNCOUNTED_BYTES + heldBytes, heldBytes);
    this.#deps.over(claim);
  }

  #isPast({ untilMs }: Unwritten): boolean {
    return this.#deps.clock.monotonicMs() >= untilMs;
  }
}

const CLAIM_LOST = "an answer is not kept under its Idempotency-Key, whose claim had ended: the store was out of reach";
const NEVER_KEPT = "answers are not kept under their Idempotency-Keys: the store was out of reach";
