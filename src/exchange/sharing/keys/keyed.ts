/**
 * Requests with an `Idempotency-Key`: each is made once for its tenant. The first one with a key leads, in this process
 * at once and among all processes by its claim in the store; equal ones join it while it runs and get its answer when it
 * is over.
 */
import type { Clock } from "../../../kernel/clock.ts";
import { HeadgateError } from "../../../kernel/errors.ts";
import { UnderWay } from "../../../kernel/under-way.ts";
import { Pause } from "../../course/pause.ts";
import { type CallerDeadline, describeDeadline } from "../../deadline.ts";
import type { Exchange } from "../../exchange.ts";
import { hashOfKey, fingerprintOf } from "../identity.ts";
import { join } from "../joint/join.ts";
import { type KeyClaims, mismatch, type Patience, stillRunning } from "./claims.ts";
import { answerWith, lead, type Scene } from "../scene.ts";
import type { Share } from "../share.ts";
import type { SharedAnswer } from "../joint/shared-answer.ts";

/** How long a request waits in all for others with its key that it cannot join, here or in another process. */
const WAIT_MS = 30_000;

export interface KeyedDeps {
  readonly clock: Clock;
  readonly claims: KeyClaims;
}

interface Running {
  readonly shared: SharedAnswer;
  readonly fingerprint: string;
  /** Whether the key is its own, by the store. */
  readonly isOwner: Promise<boolean>;
}

export class KeyedRequests {
  readonly #deps: KeyedDeps;
  /** By the hash of tenant and key. */
  readonly #running = new UnderWay<Running>();

  constructor(deps: KeyedDeps) {
    this.#deps = deps;
  }

  /** `make`: makes the request, or answers it from the cache. Throws what keeps it from being answered. */
  async serve(scene: Scene, key: string, make: () => Promise<void>): Promise<void> {
    const { exchange, principal, body } = scene;
    const { method, path } = exchange.incoming;
    const keyHash = hashOfKey(principal.payer.tenantId, key);
    const fingerprint = fingerprintOf(method, path, body);
    const patience = { ...scene.deadline, giveUpMs: this.#deps.clock.monotonicMs() + WAIT_MS };
    while (exchange.cancelCause === null) {
      const running = this.#running.get(keyHash);
      if (running === null) return this.#lead(scene, { keyHash, fingerprint }, patience, make);
      if (await this.#follow(scene, running, fingerprint, patience)) return;
    }
  }

  /** What the exchange leads is over: what comes now meets what is in the store. */
  forget({ keyHash }: Share): void {
    if (keyHash !== null) this.#running.delete(keyHash);
  }

  /** `false`: it left nothing to follow. */
  async #follow(scene: Scene, running: Running, fingerprint: string, patience: Patience): Promise<boolean> {
    const { exchange, share, deadline } = scene;
    if (running.fingerprint !== fingerprint) {
      if (await this.#await(exchange, patience, running.isOwner)) throw mismatch();
      await this.#await(exchange, patience, running.shared.ended);
      return false;
    }
    if (running.shared.isClosed) {
      await this.#await(exchange, patience, running.shared.ended);
      return false;
    }
    if (!running.shared.isJoinable) throw stillRunning();
    share.reuse = "joined";
    share.isReplayed = true;
    let follows = false;
    try {
      follows = await join(this.#deps, exchange, share, running.shared, deadline);
    } finally {
      // Its own failure is nobody's answer.
      share.isReplayed = follows;
    }
    if (!follows) share.reuse = null;
    return follows;
  }

  /**
   * What another request with the key comes to; `null` if the exchange is cancelled meanwhile. Throws `deadline_exceeded`,
   * and `idempotency_running` for one that does not end.
   */
  async #await<Outcome>(exchange: Exchange, patience: Patience, outcome: Promise<Outcome>): Promise<Outcome | null> {
    const { clock } = this.#deps;
    const dueMs = Math.min(patience.totalDueMs, patience.firstOutputDueMs);
    const pause = new Pause(clock, Math.max(0, Math.min(dueMs, patience.giveUpMs) - clock.monotonicMs()));
    let known: { readonly outcome: Outcome } | null = null;
    void outcome.then((value) => {
      known = { outcome: value };
      pause.cancel();
    });
    await exchange.pause(pause);
    if (known !== null) return (known as { readonly outcome: Outcome }).outcome;
    if (exchange.cancelCause !== null) return null;
    throw dueMs < patience.giveUpMs ? waitedTooLong(patience) : stillRunning();
  }

  async #lead(
    scene: Scene,
    { keyHash, fingerprint }: { readonly keyHash: string; readonly fingerprint: string },
    patience: Patience,
    make: () => Promise<void>,
  ): Promise<void> {
    const { exchange, principal, share } = scene;
    const { idempotency, cache } = exchange.snapshot.config;
    const owner = Promise.withResolvers<boolean>();
    const shared = lead(scene, Math.max(idempotency.answerBytes, cache.answerBytes));
    share.keyHash = keyHash;
    this.#running.set(keyHash, { shared, fingerprint, isOwner: owner.promise });
    try {
      const request = { keyHash, tenantId: principal.payer.tenantId, fingerprint };
      const claimed = await this.#deps.claims.take(exchange, request, patience);
      owner.resolve(claimed !== null);
      if (claimed === null) return;
      if ("answer" in claimed) {
        share.reuse = "replayed";
        share.isReplayed = true;
        answerWith(scene, claimed.answer, this.#deps.clock.wallMs());
        return;
      }
      share.claim = claimed.claim;
    } finally {
      owner.resolve(false);
    }
    await make();
  }
}

function waitedTooLong(deadline: CallerDeadline): HeadgateError {
  const message = `${describeDeadline(deadline)} was over before an earlier request with the same Idempotency-Key had ended. Repeat it with the same key to get its answer.`;
  return new HeadgateError("deadline_exceeded", message);
}
