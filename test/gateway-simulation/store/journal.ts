/**
 * A store in memory behind the `Journal` of the request path, with the promises of records.ts: what is written together is
 * committed together and in order, what is refused is kept and tried again, and closing twice changes nothing. At times
 * commits take long, are refused, or are made although they seem to have failed.
 */
import { HeadgateError } from "../../../src/kernel/errors.ts";
import type { Move } from "../../../src/storage/escrow/bank.ts";
import type { Hold, HoldExtension, Journal, LedgerEntry, RequestRecord } from "../../../src/storage/records.ts";
import type { Agenda } from "../../simulation/world/agenda.ts";
import type { Random } from "../../simulation/world/random.ts";
import { Violation } from "../checks/violation.ts";
import type { StoreMood } from "./store-mood.ts";

export interface JournalDeps {
  readonly agenda: Agenda;
  readonly random: Random;
  readonly mood: () => StoreMood;
  readonly note: (what: string) => void;
  readonly violated: (violation: Violation) => void;
  /** A call is to be held. */
  readonly opening: (hold: Hold) => void;
  /** A request is about to be closed. */
  readonly closing: (requestId: string) => void;
  /** A closing is committed. */
  readonly settled: (moves: readonly Move[]) => void;
  /** A closing that was refused is committed later. */
  readonly lateSettled: (requestId: string) => void;
}

interface Closing {
  readonly record: RequestRecord;
  readonly entries: readonly LedgerEntry[];
  readonly moves: readonly Move[];
}

interface Operation {
  readonly requestId: string | null;
  readonly sinceMs: number;
  readonly closing: Closing | null;
  readonly commit: () => void;
  readonly resolve: () => void;
  readonly reject: (failure: HeadgateError) => void;
}

const RETRY_MS = 1_000;

export class SimulatedJournal implements Journal {
  readonly holds: Map<string, Hold> = new Map();
  /** By attempt. */
  readonly ledger: Map<string, LedgerEntry> = new Map();
  readonly records: Map<string, RequestRecord> = new Map();
  /** By request: when its closing was asked for. */
  readonly closedAtMs: Map<string, number> = new Map();
  /** By request: when it was committed. */
  readonly committedAtMs: Map<string, number> = new Map();
  /** Requests whose closing was committed although it seemed to be refused. */
  readonly doubtful: Set<string> = new Set();
  readonly #deps: JournalDeps;
  readonly #late = new Map<string, Closing>();
  readonly #waitedMs = new Map<string, number>();
  #queue: Operation[] = [];
  #busy = false;
  #retrying = false;

  constructor(deps: JournalDeps) {
    this.#deps = deps;
  }

  /** What is charged for a request. */
  costOf(requestId: string): bigint {
    let sum = 0n;
    for (const entry of this.ledger.values()) if (entry.requestId === requestId) sum += entry.costNanoUsd;
    return sum;
  }

  /** Nothing waits to be committed. */
  get idle(): boolean {
    return this.#queue.length === 0 && !this.#busy && this.#late.size === 0;
  }

  /** How long the request has waited for the store up to now. */
  waitedMs(requestId: string): number {
    let sumMs = this.#waitedMs.get(requestId) ?? 0;
    for (const operation of this.#queue) {
      if (operation.requestId === requestId) sumMs += this.#deps.agenda.nowMs - operation.sinceMs;
    }
    return sumMs;
  }

  open(hold: Hold): Promise<void> {
    this.#deps.opening(hold);
    return this.#enqueue(hold.requestId, null, () => {
      if (this.ledger.has(hold.attemptId) || this.holds.has(hold.attemptId)) {
        this.#violate(`${hold.attemptId} is held again.`);
      }
      this.holds.set(hold.attemptId, hold);
    });
  }

  extend({ attemptId, ...held }: HoldExtension): Promise<void> {
    return this.#enqueue(this.holds.get(attemptId)?.requestId ?? null, null, () => {
      const hold = this.holds.get(attemptId);
      if (hold !== undefined) this.holds.set(attemptId, { ...hold, ...held });
    });
  }

  close(record: RequestRecord, entries: readonly LedgerEntry[], moves: readonly Move[] = []): Promise<void> {
    const closing = { record, entries, moves };
    this.closedAtMs.set(record.requestId, this.#deps.agenda.nowMs);
    this.#deps.closing(record.requestId);
    return this.#enqueue(record.requestId, closing, () => this.#settle(closing));
  }

  #enqueue(requestId: string | null, closing: Closing | null, commit: () => void): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#queue.push({ requestId, sinceMs: this.#deps.agenda.nowMs, closing, commit, resolve, reject });
    this.#write();
    return promise;
  }

  #write(): void {
    const { agenda, random, mood } = this.#deps;
    if (this.#busy || this.#queue.length === 0) return;
    this.#busy = true;
    const { commitMs, refuses, forgetsToSay } = mood();
    agenda.after(commitMs * (0.5 + random.unit()), () => {
      this.#busy = false;
      const batch = this.#queue;
      this.#queue = [];
      const seemsRefused = refuses || random.chance(forgetsToSay);
      for (const operation of batch) this.#decide(operation, refuses, seemsRefused);
      this.#write();
    });
  }

  #decide(operation: Operation, refuses: boolean, seemsRefused: boolean): void {
    const { requestId, sinceMs, closing, commit, resolve, reject } = operation;
    if (requestId !== null) {
      const beforeMs = this.#waitedMs.get(requestId) ?? 0;
      this.#waitedMs.set(requestId, beforeMs + this.#deps.agenda.nowMs - sinceMs);
    }
    const isRefused = closing === null ? refuses || seemsRefused : refuses;
    if (!isRefused) commit();
    if (!seemsRefused) {
      resolve();
      return;
    }
    if (closing !== null && !isRefused) this.doubtful.add(closing.record.requestId);
    if (closing !== null) this.#keep(closing);
    reject(new HeadgateError("storage_unavailable", "The store of the simulation refuses."));
  }

  /** What charges nothing is not kept. */
  #keep(closing: Closing): void {
    const { record, entries, moves } = closing;
    if (this.#late.has(record.requestId) || (entries.length === 0 && moves.length === 0)) return;
    this.#late.set(record.requestId, { ...closing, record: asTold(record) });
    this.#deps.note(`keeps the closing of ${record.requestId}`);
    this.#retryLater();
  }

  #retryLater(): void {
    if (this.#retrying) return;
    this.#retrying = true;
    this.#deps.agenda.after(RETRY_MS, () => {
      this.#retrying = false;
      if (!this.#deps.mood().refuses) {
        for (const [requestId, closing] of this.#late) {
          this.#late.delete(requestId);
          this.#settle(closing);
          this.#deps.lateSettled(requestId);
        }
      }
      if (this.#late.size > 0) this.#retryLater();
    });
  }

  #settle({ record, entries, moves }: Closing): void {
    if (this.records.has(record.requestId)) return;
    this.records.set(record.requestId, record);
    this.committedAtMs.set(record.requestId, this.#deps.agenda.nowMs);
    for (const entry of entries) {
      if (!this.holds.delete(entry.attemptId)) this.#violate(`${entry.attemptId} is settled but was not held.`);
      if (this.ledger.has(entry.attemptId)) this.#violate(`${entry.attemptId} is settled twice.`);
      this.ledger.set(entry.attemptId, entry);
    }
    this.#deps.settled(moves);
  }

  #violate(detail: string): void {
    this.#deps.violated(new Violation("journal", detail));
  }
}

/** As `src/storage/sqlite/journal/late-closings.ts` keeps it. */
function asTold(record: RequestRecord): RequestRecord {
  if (record.errorCode !== null) return record;
  return { ...record, ending: "gateway-error", errorCode: "storage_unavailable", status: record.stream ? 200 : 503 };
}
