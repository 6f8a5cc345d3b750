/**
 * Writes of many requests in few transactions: what is queued in one turn of the event loop is committed together when
 * the turn's I/O callbacks are done. While several wait and each turn brings more, a few turns share one commit.
 *
 *   idle ── write ─▶ scheduled ── setImmediate ─▶ commit ─┬─ committed or failed ─▶ idle, or scheduled for the rest
 *                     ▲  ▲ └── more to come ──┘           │
 *                     │  └────────────────────────────────┴─ busy ─▶ waiting (a timer) ─▶ commit
 *   paused: nothing is committed; resume ─▶ scheduled
 *
 * Invariants: a writing is settled exactly once, after the commit that contains it, and in the order in which it came;
 * the queue is bounded; the event loop never waits for a lock.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Clock } from "../../../kernel/clock.ts";
import { CommitPace } from "../../sqlite/journal/commit-pace.ts";
import { storageUnavailable } from "../../sqlite/failures.ts";
import type { Transaction, Writing } from "./transaction.ts";

export interface GroupCommitOptions {
  readonly transaction: Transaction;
  readonly clock: Clock;
  /** Called after each commit. `bytes`: as they were given with the writings. */
  readonly onCommit: (writings: number, bytes: number) => void;
}

/** Writings that wait for a commit, above which more are refused. */
const QUEUE_LENGTH_MAX = 10_000;
/** What one transaction may contain, so that a long queue does not hold the event loop. */
const BATCH_LENGTH_MAX = 256;
const BATCH_BYTES_MAX = 4 * 1024 * 1024;
const BUSY_RETRY_MS = 2;
/** How long another process may hold the write lock before what waits is refused. */
const BUSY_MAX_MS = 5000;
/** At the end. */
const LAST_TRIES = 250;

export class GroupCommit {
  readonly #options: GroupCommitOptions;
  readonly #pace = new CommitPace();
  readonly #commit = (): void => this.#commitBatch();
  #queue: Writing[] = [];
  #scheduled = false;
  #paused = false;
  #closed = false;
  #busySinceMs: number | null = null;

  constructor(options: GroupCommitOptions) {
    this.#options = options;
  }

  /**
   * Resolves with what `act` returned when that is committed; rejects with `storage_unavailable`. `act` changes nothing but
   * the database, for it may be called again. `bytes`: about what it writes.
   */
  write<Result>(act: () => Result, bytes = 0): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      this.#enqueue({
        act,
        bytes,
        resolve: resolve as (result: unknown) => void,
        reject,
        result: undefined,
        failure: null,
      });
    });
  }

  /** Nothing is committed until `resume`; writings queue up meanwhile. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#schedule();
  }

  /** Takes nothing more, commits what is queued, and refuses what another process keeps it from. */
  async flushAndClose(): Promise<void> {
    this.#paused = false;
    this.#closed = true;
    for (let tries = 0; tries < LAST_TRIES && this.#queue.length > 0; tries++) {
      this.#commitBatch();
      await nextTurn();
    }
    this.#refuseAll("the store is closed");
  }

  #enqueue(writing: Writing): void {
    const { length } = this.#queue;
    if (this.#closed) writing.reject(storageUnavailable("the store is closed"));
    else if (length >= QUEUE_LENGTH_MAX) writing.reject(storageUnavailable(`${length} writings already wait`));
    else {
      this.#queue.push(writing);
      this.#schedule();
    }
  }

  #schedule(): void {
    if (this.#scheduled || this.#paused || this.#queue.length === 0) return;
    this.#scheduled = true;
    setImmediate(this.#commit);
  }

  #commitBatch(): void {
    this.#scheduled = false;
    if (this.#paused || this.#queue.length === 0) return;
    if (!this.#closed && this.#pace.waitsForMore(this.#queue.length)) {
      this.#schedule();
      return;
    }
    const length = batchLength(this.#queue);
    const batch = length === this.#queue.length ? this.#queue : this.#queue.slice(0, length);
    const outcome = this.#options.transaction.commit(batch);
    if (outcome === "busy") {
      this.#waitForOtherWriter();
      return;
    }
    this.#busySinceMs = null;
    this.#queue = batch === this.#queue ? [] : this.#queue.slice(length);
    if (outcome === "committed") this.#options.onCommit(length, bytesOf(batch));
    for (const writing of batch) settle(writing);
    this.#schedule();
  }

  #waitForOtherWriter(): void {
    const { clock } = this.#options;
    const nowMs = clock.monotonicMs();
    this.#busySinceMs ??= nowMs;
    if (nowMs - this.#busySinceMs >= BUSY_MAX_MS) {
      this.#busySinceMs = null;
      this.#refuseAll("another process keeps the file of kept answers locked");
      return;
    }
    this.#scheduled = true;
    clock.setTimer(this.#commit, BUSY_RETRY_MS);
  }

  #refuseAll(reason: string): void {
    const refused = this.#queue;
    this.#queue = [];
    for (const { reject } of refused) reject(storageUnavailable(reason));
  }
}

function settle({ failure, result, resolve, reject }: Writing): void {
  if (failure === null) resolve(result);
  else reject(failure);
}

/** At least one. */
function batchLength(queue: readonly Writing[]): number {
  let bytes = 0;
  for (let length = 0; length < queue.length; length++) {
    bytes += queue[length]?.bytes ?? 0;
    if (length > 0 && (length === BATCH_LENGTH_MAX || bytes > BATCH_BYTES_MAX)) return length;
  }
  return queue.length;
}

function bytesOf(batch: readonly Writing[]): number {
  let bytes = 0;
  for (const writing of batch) bytes += writing.bytes;
  return bytes;
}
