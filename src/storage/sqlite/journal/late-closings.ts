/**
 * Closings that the store refused although their calls were made and their charges are known. Each is offered to the
 * journal again until it is committed, the store refuses the row itself, or the process ends; what is left then is
 * charged at its worst case by recovery, because its hold stays.
 *
 *   refused ─▶ kept ── retry ─┬─ committed ─▶ settled
 *                ▲            ├─ the row is at fault, or the journal is closed ─▶ abandoned
 *                └── refused ─┘       oldest of more than `lengthMax` ─▶ abandoned
 *
 * A record that says that all went well is kept as what the refusal makes of it: the caller is told
 * `storage_unavailable` instead, a stream's after its head was sent.
 *
 * Invariant: a request is kept at most once, by its first closing. Closing is idempotent per request, so that one which
 * was committed although the commit seemed to fail is not charged twice.
 */
import type { Clock, Timer } from "../../../kernel/clock.ts";
import type { HeadgateError } from "../../../kernel/errors.ts";
import type { Move } from "../../escrow/bank.ts";
import type { LedgerEntry, RequestRecord } from "../../records.ts";

/** What became of a closing that was refused; `abandoned` is left to recovery. */
export type LateClosingState = "kept" | "settled" | "abandoned";

export interface LateClosing {
  readonly record: RequestRecord;
  readonly entries: readonly LedgerEntry[];
  readonly moves: readonly Move[];
}

export interface LateClosingsOptions {
  readonly clock: Clock;
  readonly lengthMax: number;
  /** Offers it to the journal; one of the callbacks is called once, later or at once. */
  readonly write: (closing: LateClosing, committed: () => void, refused: (error: HeadgateError) => void) => void;
  readonly changed: (state: LateClosingState, closing: LateClosing) => void;
}

const RETRY_MS = 1000;
/** Offered at once, so that what was refused does not crowd out what is new. */
const BATCH_LENGTH = 64;

export class LateClosings {
  readonly #options: LateClosingsOptions;
  /** By request id, oldest first. */
  readonly #kept = new Map<string, LateClosing>();
  /** Those of them that wait in the journal's queue. */
  readonly #offered = new Set<LateClosing>();
  #timer: Timer | null = null;
  #ended = false;

  constructor(options: LateClosingsOptions) {
    this.#options = options;
  }

  keep(refused: LateClosing): void {
    const { requestId } = refused.record;
    if (this.#kept.has(requestId)) return;
    const closing = { ...refused, record: asTold(refused.record) };
    if (this.#ended) {
      this.#options.changed("abandoned", closing);
      return;
    }
    if (this.#kept.size >= this.#options.lengthMax) this.#abandonOldest();
    this.#kept.set(requestId, closing);
    this.#options.changed("kept", closing);
    this.#schedule();
  }

  /** Offers everything that is kept, now. */
  offerAll(): void {
    this.#offer(this.#kept.size);
  }

  /** Ends the retries; what is still kept is left to recovery. */
  abandonAll(): void {
    this.#ended = true;
    this.#timer?.cancel();
    for (const closing of this.#kept.values()) this.#end(closing, "abandoned");
  }

  #schedule(): void {
    if (this.#timer !== null || this.#ended || this.#offered.size > 0 || this.#kept.size === 0) return;
    this.#timer = this.#options.clock.setTimer(() => {
      this.#timer = null;
      this.#offer(BATCH_LENGTH);
    }, RETRY_MS);
  }

  #offer(lengthMax: number): void {
    const batch = [
      ...this.#kept
        .values()
        .filter((closing) => !this.#offered.has(closing))
        .take(lengthMax),
    ];
    for (const closing of batch) this.#offered.add(closing);
    let open = batch.length;
    let refusals = 0;
    const answered = (closing: LateClosing, error: HeadgateError | null): void => {
      this.#offered.delete(closing);
      open--;
      if (error === null) this.#end(closing, "settled");
      else if (error.code === "storage_unavailable") refusals++;
      else this.#end(closing, "abandoned");
      if (open > 0) return;
      if (refusals === 0 && this.#kept.size > 0 && !this.#ended) this.#offer(BATCH_LENGTH);
      else this.#schedule();
    };
    for (const closing of batch) {
      this.#options.write(
        closing,
        () => answered(closing, null),
        (error) => answered(closing, error),
      );
    }
  }

  /** One that is on offer is about to be decided. */
  #abandonOldest(): void {
    const oldest = this.#kept.values().find((closing) => !this.#offered.has(closing));
    if (oldest !== undefined) this.#end(oldest, "abandoned");
  }

  #end(closing: LateClosing, state: "settled" | "abandoned"): void {
    this.#kept.delete(closing.record.requestId);
    this.#options.changed(state, closing);
  }
}

function asTold(record: RequestRecord): RequestRecord {
  if (record.errorCode !== null) return record;
  return { ...record, ending: "gateway-error", errorCode: "storage_unavailable", status: record.stream ? 200 : 503 };
}
