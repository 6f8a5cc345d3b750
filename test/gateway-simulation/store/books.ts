/**
 * What is committed in the simulated store, for all processes and whatever becomes of them: holds, the ledger, records.
 * An attempt is held or settled, never both, and settled once; what goes against that is told.
 */
import type { Closing } from "../../../src/storage/closings.ts";
import type { Move } from "../../../src/storage/escrow/bank.ts";
import type { Hold, LedgerEntry, RequestRecord } from "../../../src/storage/records.ts";
import { Violation } from "../checks/violation.ts";

export interface BooksDeps {
  readonly nowMs: () => number;
  readonly violated: (violation: Violation) => void;
  /** A closing is committed. */
  readonly settled: (moves: readonly Move[]) => void;
}

/** Something that is to be committed for a request. */
export interface Waiting {
  readonly requestId: string | null;
  readonly sinceMs: number;
}

export class Books {
  readonly holds: Map<string, Hold> = new Map();
  /** By attempt: the process that opened its hold. */
  readonly instances: Map<string, string> = new Map();
  /** By attempt. */
  readonly ledger: Map<string, LedgerEntry> = new Map();
  readonly records: Map<string, RequestRecord> = new Map();
  /** By request: when its closing was asked for. */
  readonly closedAtMs: Map<string, number> = new Map();
  /** By request: when it was committed. */
  readonly committedAtMs: Map<string, number> = new Map();
  /** Requests whose closing was committed although it seemed to be refused. */
  readonly doubtful: Set<string> = new Set();
  /** What waits now. */
  readonly waiting: Set<Waiting> = new Set();
  readonly #deps: BooksDeps;
  readonly #waitedMs = new Map<string, number>();

  constructor(deps: BooksDeps) {
    this.#deps = deps;
  }

  /** How long the request has waited for the store up to now. */
  waitedMs(requestId: string): number {
    let sumMs = this.#waitedMs.get(requestId) ?? 0;
    for (const { requestId: of, sinceMs } of this.waiting) if (of === requestId) sumMs += this.#deps.nowMs() - sinceMs;
    return sumMs;
  }

  waited(waiting: Waiting): void {
    this.waiting.delete(waiting);
    const { requestId, sinceMs } = waiting;
    if (requestId === null) return;
    this.#waitedMs.set(requestId, (this.#waitedMs.get(requestId) ?? 0) + this.#deps.nowMs() - sinceMs);
  }

  /** What is charged for a request. */
  costOf(requestId: string): bigint {
    let sum = 0n;
    for (const entry of this.ledger.values()) if (entry.requestId === requestId) sum += entry.costNanoUsd;
    return sum;
  }

  hold(hold: Hold, instanceId: string): void {
    if (this.ledger.has(hold.attemptId) || this.holds.has(hold.attemptId)) {
      this.#violate(`${hold.attemptId} is held again.`);
    }
    this.holds.set(hold.attemptId, hold);
    this.instances.set(hold.attemptId, instanceId);
  }

  settle({ record, entries, moves }: Closing): void {
    if (this.records.has(record.requestId)) return;
    this.records.set(record.requestId, record);
    this.committedAtMs.set(record.requestId, this.#deps.nowMs());
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
