/** Requests as the checks know them. */
import type { AllowanceReader } from "../../../src/storage/allowance-reader.ts";
import type { RequestPlan } from "../scenario/requests.ts";
import type { LeaseLog } from "./lease-log.ts";
import type { PathEntry } from "./path.ts";

/** What the checks know of a process. */
export interface Witnessed {
  readonly name: string;
  readonly instanceId: string;
  readonly allowances: AllowanceReader;
  readonly leases: LeaseLog;
  monotonicMs(): number;
  /** For how long its monotonic clock has stood still: so far behind may it think the bank's time to be. */
  readonly stoppedMs: number;
}

/** A call of a request. */
export interface Asked {
  /** Its own: the journal holds for each call, and each is settled once. */
  readonly requestId: string;
  readonly process: Witnessed;
  readonly plan: RequestPlan;
  readonly askedAtMs: number;
  /** The bank's time then. */
  readonly askedAtBankMs: number;
  /** As its process knew it when it asked. */
  readonly path: readonly PathEntry[];
  /** The calls of the same request before this one: all of them count as one request and take one slot. */
  readonly earlier: readonly Asked[];
}
