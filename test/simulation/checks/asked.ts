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

export interface Asked {
  readonly requestId: string;
  readonly process: Witnessed;
  readonly plan: RequestPlan;
  readonly askedAtMs: number;
  /** The bank's time then. */
  readonly askedAtBankMs: number;
  /** As its process knew it when it asked. */
  readonly path: readonly PathEntry[];
}
