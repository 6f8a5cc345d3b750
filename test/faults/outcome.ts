/** What a fault comes to, in the four respects that every test of a fault states. */
import type { Ending } from "../../src/storage/records.ts";

/** An error with this status and nothing else. */
interface Refused {
  readonly kind: "error";
  readonly status: number;
  readonly code: string;
  /** Seconds in the header; `null`: no such header. */
  readonly retryAfter?: number | null;
  /** They lead to a moment that was told to the second, and may be one less. */
  readonly isMoment?: boolean;
}

export type CallerSees =
  /** The whole answer; a stream ends with exactly one terminal marker. */
  | { readonly kind: "answer" }
  | Refused
  /** The beginning of a stream, an error event with this code as its end, and no terminal marker. */
  | { readonly kind: "broken stream"; readonly code: string }
  /** Nothing any more: it was the caller who left. */
  | { readonly kind: "gone" }
  /** The connection breaks, and there is no terminal marker. */
  | { readonly kind: "cut off" };

/**
 * `nothing yet`: nothing, but the provider may have worked, and is asked about it later. `reported`: what the provider
 * says, to the nano-dollar what its invoice says. `drained`: the same, learnt after the caller had left. `estimate`: our
 * count of input and output, flagged. `input estimate`: our count of input alone. `worst case`: all that was held for the
 * call, by the next process of that store.
 */
export type Charged = "nothing" | "nothing yet" | "reported" | "drained" | "estimate" | "input estimate" | "worst case";

export interface Outcome {
  readonly caller: CallerSees;
  readonly charged: Charged;
  /** Attempts in the record; each is at most one call that a provider sees. */
  readonly attempts: 0 | 1;
  /** `null`: there is no record. */
  readonly ending: Ending | null;
  /** The error code of the record; `null` for a request that ended well. */
  readonly code: string | null;
  /** The status of the record; 0 where nobody was left to know it. */
  readonly status: number;
}

export function answered(charged: Charged = "reported"): Outcome {
  return { caller: { kind: "answer" }, charged, attempts: 1, ending: "complete", code: null, status: 200 };
}

interface Failing {
  /** What the caller is told, where it is the provider's own code. */
  readonly told?: string;
  readonly retryAfter?: number | null;
  readonly isMoment?: boolean;
  readonly charged?: Charged;
  readonly attempts?: 0 | 1;
  /** Default `provider-error`. */
  readonly ending?: Ending | null;
}

/** An error instead of an answer; nothing is charged unless said. */
export function failed(status: number, code: string, failing: Failing = {}): Outcome {
  const { told = code, retryAfter, isMoment = false } = failing;
  const { charged = "nothing", attempts = 1, ending = "provider-error" } = failing;
  const wait = retryAfter === undefined ? {} : { retryAfter, isMoment };
  const caller = { kind: "error", status, code: told, ...wait } as const;
  return { caller, charged, attempts, ending, code, status };
}

/** A stream that broke after it had begun. */
export function brokenOff(code: string, ending: Ending = "provider-error", charged: Charged = "estimate"): Outcome {
  return { caller: { kind: "broken stream", code }, charged, attempts: 1, ending, code, status: 200 };
}

/** The caller left: `status` is 200 if a stream had begun. */
export function callerGone(status: 200 | 499, charged: Charged, attempts: 0 | 1 = 1): Outcome {
  return { caller: { kind: "gone" }, charged, attempts, ending: "caller-gone", code: "client_closed", status };
}

/** Nobody was left to answer, charge or record: the next process of that store does what is left. */
export function cutOff(attempts: 0 | 1): Outcome {
  const left: Pick<Outcome, "charged" | "ending"> =
    attempts === 0 ? { charged: "nothing", ending: null } : { charged: "worst case", ending: "killed" };
  return { caller: { kind: "cut off" }, attempts, ...left, code: null, status: 0 };
}
