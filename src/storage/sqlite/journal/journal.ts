/**
 * The journal on SQLite: group commit. Operations queued in one turn of the event loop share one transaction (and,
 * with durability `power`, one disk sync), written when the turn's I/O callbacks are done. While several wait and each
 * turn brings more, a few turns share one.
 *
 *   idle ── enqueue ─▶ scheduled ── setImmediate ─▶ write ─┬─ committed or failed ─▶ idle, or scheduled for the rest
 *                       ▲  ▲ └── more to come ──┘          │
 *                       │  └───────────────────────────────┴─ busy ─▶ waiting (a timer) ─▶ write
 *   paused: nothing is written; resume ─▶ scheduled
 *
 * Invariants: an operation is settled exactly once, after the commit that contains it; the queue is bounded; the
 * event loop never waits for a lock. Closing may use twice the queue of opening and extending, because a call whose record
 * is refused was already made. Such a closing is refused to its caller and kept for later: late-closings.ts.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Clock } from "../../../kernel/clock.ts";
import type { HeadgateError } from "../../../kernel/errors.ts";
import type { Move } from "../../escrow/bank.ts";
import type { Hold, HoldExtension, Journal, LedgerEntry, RequestRecord } from "../../records.ts";
import type { BatchWriter, JournalOperation } from "./batch-writer.ts";
import { CommitPace } from "./commit-pace.ts";
import { storageUnavailable } from "../failures.ts";
import { LateClosings, type LateClosing, type LateClosingState } from "./late-closings.ts";

export interface SqliteJournalOptions {
  readonly writer: BatchWriter;
  readonly clock: Clock;
  /** Operations waiting for a commit, above which `open` is refused. */
  readonly queueLengthMax: number;
  /** How long another process may hold the write lock before what waits is refused. */
  readonly busyMaxMs: number;
  /** The process ends, and has waited for other writers as long as it may. */
  readonly isOver: () => boolean;
  /** Refused closings that are kept for later; above it the oldest is left to recovery. */
  readonly lateClosingsMax: number;
  /** Called after each commit with the number of its operations. */
  readonly onCommit: (operations: number) => void;
  /** Called when a closing is refused, and again with what became of it. */
  readonly onLateClosing: (state: LateClosingState, closing: LateClosing) => void;
}

/** What one transaction may contain, so that a long queue does not hold the event loop. */
const BATCH_LENGTH_MAX = 256;
const BUSY_RETRY_MS = 2;
/** With a blocking step each, about five seconds. */
const CLOSING_ATTEMPTS_MAX = 2500;
const NO_ENTRIES: readonly LedgerEntry[] = [];
const NO_MOVES: readonly Move[] = [];

export class SqliteJournal implements Journal {
  readonly #options: SqliteJournalOptions;
  readonly #pace = new CommitPace();
  readonly #write = (): void => this.#writeBatch();
  readonly #late: LateClosings;
  #queue: JournalOperation[] = [];
  #scheduled = false;
  #paused = false;
  #closed = false;
  #busySinceMs: number | null = null;

  constructor(options: SqliteJournalOptions) {
    this.#options = options;
    this.#late = new LateClosings({
      clock: options.clock,
      lengthMax: options.lateClosingsMax,
      write: (closing, resolve, reject) =>
        this.#enqueue(
          { hold: null, extension: null, ...closing, resolve, reject, late: true, failure: null },
          options.queueLengthMax + options.lateClosingsMax,
        ),
      changed: options.onLateClosing,
    });
  }

  /** Operations that wait for their commit. */
  get queueLength(): number {
    return this.#queue.length;
  }

  open(hold: Hold): Promise<void> {
    return this.#commit(hold, null, null, NO_ENTRIES, NO_MOVES, this.#options.queueLengthMax);
  }

  extend(extension: HoldExtension): Promise<void> {
    return this.#commit(null, extension, null, NO_ENTRIES, NO_MOVES, this.#options.queueLengthMax);
  }

  close(record: RequestRecord, entries: readonly LedgerEntry[], moves: readonly Move[] = NO_MOVES): Promise<void> {
    return this.#commit(null, null, record, entries, moves, this.#options.queueLengthMax * 2);
  }

  /** Nothing is written until `resume`; operations queue up meanwhile. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#schedule();
  }

  /** Takes nothing more, writes what is queued, offers once more what was refused, and gives up what cannot be written. */
  async flushAndClose(): Promise<void> {
    this.#paused = false;
    this.#late.offerAll();
    this.#closed = true;
    for (let attempt = 0; attempt < CLOSING_ATTEMPTS_MAX && this.#queue.length > 0; attempt++) {
      this.#writeBatch();
      await nextTurn();
    }
    this.#refuseAll(storageUnavailable("the store is closed"));
    this.#late.abandonAll();
  }

  #commit(
    hold: Hold | null,
    extension: HoldExtension | null,
    record: RequestRecord | null,
    entries: readonly LedgerEntry[],
    moves: readonly Move[],
    lengthMax: number,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#enqueue(
        { hold, extension, record, entries, moves, resolve, reject, late: false, failure: null },
        lengthMax,
      );
    });
  }

  #enqueue(operation: JournalOperation, lengthMax: number): void {
    if (this.#closed || this.#queue.length >= lengthMax) {
      const reason = this.#closed ? "the store is closed" : `${this.#queue.length} operations already wait`;
      this.#refuse(operation, storageUnavailable(reason));
      return;
    }
    this.#queue.push(operation);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.#paused || this.#queue.length === 0) return;
    this.#scheduled = true;
    setImmediate(this.#write);
  }

  #writeBatch(): void {
    this.#scheduled = false;
    if (this.#paused || this.#queue.length === 0) return;
    if (this.#pace.waitsForMore(this.#queue.length)) {
      this.#schedule();
      return;
    }
    const whole = this.#queue.length <= BATCH_LENGTH_MAX;
    const batch = whole ? this.#queue : this.#queue.slice(0, BATCH_LENGTH_MAX);
    const outcome = this.#options.writer.write(batch);
    if (outcome === "busy") {
      this.#waitForOtherWriter();
      return;
    }
    this.#busySinceMs = null;
    this.#queue = whole ? [] : this.#queue.slice(BATCH_LENGTH_MAX);
    if (outcome === "committed") this.#options.onCommit(batch.length);
    this.#settle(batch);
    this.#schedule();
  }

  #waitForOtherWriter(): void {
    const nowMs = this.#options.clock.monotonicMs();
    this.#busySinceMs ??= nowMs;
    if (nowMs - this.#busySinceMs >= this.#options.busyMaxMs || this.#options.isOver()) {
      this.#busySinceMs = null;
      this.#refuseAll(storageUnavailable("another process keeps the store locked"));
      return;
    }
    this.#scheduled = true;
    this.#options.clock.setTimer(this.#write, BUSY_RETRY_MS);
  }

  #refuseAll(failure: HeadgateError): void {
    const refused = this.#queue;
    this.#queue = [];
    for (const operation of refused) this.#refuse(operation, failure);
  }

  #settle(batch: readonly JournalOperation[]): void {
    for (const operation of batch) {
      if (operation.failure === null) operation.resolve();
      else this.#refuse(operation, operation.failure);
    }
  }

  /** What has entries or moves was called and can be charged exactly, so it is kept; but not a row that fails again. */
  #refuse(operation: JournalOperation, failure: HeadgateError): void {
    const { record, entries, moves, late } = operation;
    const charges = entries.length > 0 || moves.length > 0;
    const keeps = record !== null && charges && !late && failure.code === "storage_unavailable";
    if (keeps) this.#late.keep({ record, entries, moves });
    operation.reject(failure);
  }
}
