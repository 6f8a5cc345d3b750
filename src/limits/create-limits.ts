/** The factory of `Limits`: the process's side of escrow. */
import type { Clock } from "../kernel/clock.ts";
import type { IdSource } from "../kernel/ids.ts";
import type { AllowanceReader } from "../storage/allowance-reader.ts";
import type { Bank } from "../storage/escrow/bank.ts";
import type { Allowance } from "./allowance.ts";
import type { Limits } from "./limits.ts";

/** What happens to limits, for the operator. Called synchronously, on the request path too: they must be cheap. */
export interface LimitsEvents {
  /** An allowance of mode `soft` had no room for a request, which went on. */
  softLimitPassed(allowance: Allowance, subject: string): void;
  /** An allowance of mode `shadow` would have refused a request. */
  shadowRefusal(allowance: Allowance, subject: string): void;
  /** The bank could not be asked; once when it begins. */
  bankUnreachable(cause: unknown): void;
  /** It answers again. */
  bankReachable(): void;
  /** This process was out of touch with the bank for longer than its lease and goes on under another owner. */
  fenced(ownerId: string): void;
}

export interface LimitsDeps {
  readonly bank: Bank;
  readonly allowances: AllowanceReader;
  readonly clock: Clock;
  readonly ids: IdSource;
  /** The process whose journal explains what is drawn. */
  readonly instanceId: string;
  readonly events: LimitsEvents;
  /** Resolves when all that was committed so far is where the bank sees it: an owner is finished only after that. */
  readonly delivered: () => Promise<void>;
  /** Default 30 000. */
  readonly leaseMs?: number;
  /** How often the lease is renewed and idle grants are looked for. Default 250. */
  readonly pollMs?: number;
  /** How long a request waits for what other processes are asked to give back. Default 1000; 0 does not wait. */
  readonly recallWaitMs?: number;
  /** How long disposing waits for open reservations. Default 5000. */
  readonly closeWaitMs?: number;
}

/** Registers an owner at the bank. Rejects with `storage_unavailable`. */
export function createLimits(deps: LimitsDeps): Promise<Limits> {
  throw new Error(`Not there yet, ${deps.instanceId}.`);
}
