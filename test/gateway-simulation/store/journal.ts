/**
 * A process's connection to the simulated store, behind the `Journal` of the request path, with the promises of records.ts:
 * what is written together is committed together and in order, what is refused is kept and tried again, and closing twice
 * changes nothing. At times commits take long, are refused, or are made although they seem to have failed. What was not
 * committed dies with the process.
 */
import { HeadgateError } from "../../../src/kernel/errors.ts";
import type { Closing } from "../../../src/storage/closings.ts";
import type { Move } from "../../../src/storage/escrow/bank.ts";
import type { Hold, HoldExtension, Journal, LedgerEntry, RequestRecord } from "../../../src/storage/records.ts";
import type { Agenda } from "../../simulation/world/agenda.ts";
import type { Random } from "../../simulation/world/random.ts";
import type { Books, Waiting } from "./books.ts";
import type { StoreMood } from "./store-mood.ts";

export interface JournalDeps {
  readonly agenda: Agenda;
  readonly random: Random;
  readonly books: Books;
  /** The process. */
  readonly instanceId: string;
  readonly mood: () => StoreMood;
  readonly note: (what: string) => void;
  /** A call is to be held. */
  readonly opening: (hold: Hold) => void;
  /** A request is about to be closed. */
  readonly closing: (requestId: string) => void;
  /** A closing that was refused is committed later. */
  readonly lateSettled: (requestId: string) => void;
}

interface Operation extends Waiting {
  readonly closing: Closing | null;
  readonly commit: () => void;
  readonly resolve: () => void;
  readonly reject: (failure: HeadgateError) => void;
}

const RETRY_MS = 1_000;

export class SimulatedJournal implements Journal {
  readonly #deps: JournalDeps;
  readonly #late = new Map<string, Closing>();
  #queue: Operation[] = [];
  #busy = false;
  #retrying = false;
  #isDead = false;

  constructor(deps: JournalDeps) {
    this.#deps = deps;
  }

  /** Nothing waits to be committed. */
  get idle(): boolean {
    return this.#queue.length === 0 && !this.#busy && this.#late.size === 0;
  }

  /** Its process is dead: nothing more is committed, and nobody is told of anything. */
  die(): void {
    this.#isDead = true;
    for (const operation of this.#queue) this.#deps.books.waited(operation);
    this.#queue = [];
    this.#late.clear();
  }

  open(hold: Hold): Promise<void> {
    const { books, opening, instanceId } = this.#deps;
    opening(hold);
    return this.#enqueue(hold.requestId, null, () => books.hold(hold, instanceId));
  }

  extend({ attemptId, ...held }: HoldExtension): Promise<void> {
    const { holds } = this.#deps.books;
    return this.#enqueue(holds.get(attemptId)?.requestId ?? null, null, () => {
      const hold = holds.get(attemptId);
      if (hold !== undefined) holds.set(attemptId, { ...hold, ...held });
    });
  }

  close(record: RequestRecord, entries: readonly LedgerEntry[], moves: readonly Move[] = []): Promise<void> {
    const { agenda, books, closing: told } = this.#deps;
    const closing = { record, entries, moves };
    books.closedAtMs.set(record.requestId, agenda.nowMs);
    told(record.requestId);
    return this.#enqueue(record.requestId, closing, () => books.settle(closing));
  }

  #enqueue(requestId: string | null, closing: Closing | null, commit: () => void): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const operation = { requestId, sinceMs: this.#deps.agenda.nowMs, closing, commit, resolve, reject };
    this.#queue.push(operation);
    this.#deps.books.waiting.add(operation);
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
      if (this.#isDead) return;
      const batch = this.#queue;
      this.#queue = [];
      const seemsRefused = refuses || random.chance(forgetsToSay);
      for (const operation of batch) this.#decide(operation, refuses, seemsRefused);
      this.#write();
    });
  }

  #decide(operation: Operation, refuses: boolean, seemsRefused: boolean): void {
    const { closing, commit, resolve, reject } = operation;
    const { books } = this.#deps;
    books.waited(operation);
    const isRefused = closing === null ? refuses || seemsRefused : refuses;
    if (!isRefused) commit();
    if (!seemsRefused) {
      resolve();
      return;
    }
    if (closing !== null && !isRefused) books.doubtful.add(closing.record.requestId);
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
          this.#deps.books.settle(closing);
          this.#deps.lateSettled(requestId);
        }
      }
      if (this.#late.size > 0) this.#retryLater();
    });
  }
}

/** As `src/storage/sqlite/journal/late-closings.ts` keeps it. */
function asTold(record: RequestRecord): RequestRecord {
  if (record.errorCode !== null) return record;
  return { ...record, ending: "gateway-error", errorCode: "storage_unavailable", status: record.stream ? 200 : 503 };
}
