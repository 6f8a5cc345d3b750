/**
 * What the gateway remembers of its work: one wide row per request, one ledger entry per provider attempt that
 * could have cost money, and, while an attempt is under way, its hold in the journal.
 *
 * Invariant: an attempt is either held (in the journal) or settled (in the ledger), never both, never neither.
 * Opening commits before the call leaves the machine; closing removes the holds and writes ledger entries and the
 * wide row in one transaction, before the caller is told that the answer is complete.
 */
import type { DialectName, Operation } from "../dialects/dialect.ts";
import type { NanoUsd } from "../kernel/money.ts";
import type { Usage } from "../kernel/usage.ts";
import type { HeldAmount, Move } from "./escrow/bank.ts";

/** Who is charged. All `null` for a request that was refused before it was known who asked. */
export interface Payer {
  readonly tenantId: string;
  readonly projectId: string;
  readonly keyId: string;
}

/**
 * How the amount was found. `reported` by the provider; `drained`: the tail of an abandoned stream was read to get
 * it; `metered`: our own count; `worst-case`: the process died, the hold is charged; `none`: nothing was billable.
 */
export type SettlementBasis = "reported" | "drained" | "metered" | "worst-case" | "none";

/**
 * `unpriced`: no price was known, the cost is zero or a stand-in and wants re-rating. `priced`: of a correction, which
 * gives a price to a charge that had none. `estimated`: usage is our own count, or the cost a stand-in.
 */
export type LedgerFlag = "unpriced" | "priced" | "estimated" | "recovered";

/** A provider call that is about to leave; all that is needed to charge it if this process dies. */
export interface Hold {
  readonly attemptId: string;
  readonly requestId: string;
  readonly startedAtMs: number;
  readonly payer: Payer;
  readonly endUser: string | null;
  readonly operation: Operation;
  readonly provider: string;
  readonly credential: string;
  readonly modelAsked: string;
  readonly modelTarget: string;
  readonly priceVersion: string | null;
  /** What is held for it, and charged if this process dies: the most it can use and cost, or the slices granted so far. */
  readonly heldUsage: Usage;
  readonly heldCostNanoUsd: NanoUsd;
  /** What that holds of the allowances on its path. Slots are not among them: they end with their process. */
  readonly heldAmounts: readonly HeldAmount[];
}

/** A hold that has grown. */
export type HoldExtension = Pick<Hold, "attemptId" | "heldUsage" | "heldCostNanoUsd" | "heldAmounts">;

export interface LedgerEntry {
  /** Equal to the attempt's id for a charge; a correction's is that, a dot, and its number among the attempt's, from 1. */
  readonly entryId: string;
  readonly kind: "charge" | "correction";
  readonly attemptId: string;
  readonly requestId: string;
  /** When it was settled. */
  readonly atMs: number;
  readonly payer: Payer;
  readonly endUser: string | null;
  readonly operation: Operation;
  readonly provider: string;
  readonly credential: string;
  readonly modelAsked: string;
  /** `provider/model` that was called: what prices are looked up by. */
  readonly modelTarget: string;
  /** As the provider names it in its answer. */
  readonly modelServed: string;
  /** The provider's id of the answer, for reconciliation. */
  readonly providerRequestId: string | null;
  /** For a correction: the signed difference to what was charged. */
  readonly usage: Usage;
  readonly costNanoUsd: NanoUsd;
  readonly priceVersion: string | null;
  readonly basis: SettlementBasis;
  readonly flags: readonly LedgerFlag[];
}

/**
 * How a request ended, from the caller's point of view. `refused`: before anything of an answer was sent. `truncated`: a
 * part was sent, but the provider broke off, or an allowance had no room for the rest.
 */
export type Ending =
  | "complete"
  | "refused"
  | "provider-error"
  | "truncated"
  | "timeout"
  | "caller-gone"
  | "shutdown"
  | "gateway-error"
  | "killed";

/**
 * Where an answer came from that no call was made for, or what became of the wish for one. `hit`: the cache; `semantic`:
 * the cache, for a request in other words; `joined`: an equal request that was under way; `replayed`: an earlier request with the same `Idempotency-Key`; `miss`: a call;
 * `bypass`: a call, and the answer is not kept.
 */
export type Reuse = "hit" | "semantic" | "joined" | "replayed" | "miss" | "bypass";

/** One of several targets that a request came to. Times are microseconds from the beginning of the request. */
export interface TrailStep {
  /** `provider/model`. */
  readonly target: string;
  /** `null`: it was not called. */
  readonly credential: string | null;
  readonly beganUs: number;
  readonly firstOutputUs: number | null;
  readonly endedUs: number;
  /**
   * `continued`: answered, from where the stream of an earlier call had broken off. `cancelled`: because another had
   * answered, or for the reason that the request ended for. `passed-over`: it was not called when its turn came.
   */
  readonly outcome: "answered" | "continued" | "failed" | "cancelled" | "passed-over";
  /** Why it failed or was passed over. */
  readonly code: string | null;
}

/** The wide row. Times are microseconds; `null` where the phase was not reached. */
export interface RequestRecord {
  readonly requestId: string;
  readonly startedAtMs: number;
  readonly payer: Payer | null;
  readonly endUser: string | null;
  readonly operation: Operation | null;
  readonly method: string;
  readonly path: string;
  readonly dialectIn: DialectName | null;
  readonly dialectOut: DialectName | null;
  readonly stream: boolean;
  readonly modelAsked: string | null;
  readonly modelServed: string | null;
  readonly provider: string | null;
  readonly status: number;
  readonly ending: Ending;
  readonly finishReason: string | null;
  readonly errorCode: string | null;
  readonly attempts: number;
  /** Its calls in order, with targets that were passed over between them; empty where the plan's first target was called once. */
  readonly trail: readonly TrailStep[];
  /** What the caller gave as its deadline; `null`: none. */
  readonly deadlineUs: number | null;
  readonly losses: readonly string[];
  readonly invalidEvents: number;
  /** `null`: the cache and idempotency had nothing to do with it. */
  readonly reuse: Reuse | null;
  /**
   * What the answer had cost when it was made, where this request did not have to pay it again, less what it cost to
   * compare the request with others: negative where that found nothing.
   */
  readonly savedNanoUsd: NanoUsd;
  readonly usage: Usage;
  readonly costNanoUsd: NanoUsd;
  readonly basis: SettlementBasis;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly queueUs: number | null;
  readonly connectUs: number | null;
  readonly firstTokenUs: number | null;
  readonly totalUs: number;
  /** Output tokens per second between first token and end; `null` where it has no meaning. */
  readonly outputTokensPerSecond: number | null;
  readonly userAgent: string | null;
}

/** The request path's only way to durable storage. Both resolve after the commit, which is shared by a turn of the event loop. */
export interface Journal {
  /** Rejects with `storage_unavailable`; then the call must not be made. */
  open(hold: Hold): Promise<void>;
  /** Of an attempt that is no longer held it changes nothing. Rejects with `storage_unavailable`. */
  extend(extension: HoldExtension): Promise<void>;
  /**
   * Takes every attempt of the request, each with its entry; none for a request that never had an attempt. `moves`:
   * what the request takes from allowances, committed with the entries; default none. An
   * entry ends its attempt's hold; a hold without an entry stays and is charged at its worst case when this process
   * is gone. Idempotent per request id: a second call changes nothing. Rejects with `storage_unavailable`; the
   * closing is then kept and tried again in the background as long as this process lives, and the holds with it. A
   * record without an error is kept as one of a caller who was told `storage_unavailable`.
   */
  close(record: RequestRecord, entries: readonly LedgerEntry[], moves?: readonly Move[]): Promise<void>;
}
