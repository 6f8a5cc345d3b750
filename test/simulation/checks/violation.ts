import { BrokenInvariant } from "../../support/seeds/violation.ts";

/** What must hold in every world at every moment; each by the sentence that a failing run prints. */
export const invariants = {
  conservation: "an account's granted and suspense are exactly what its owners hold",
  negative: "no amount is below zero",
  limit: "an open account's limit is what its allowance and the overrides say",
  overgrant: "an enforced account grants nothing beyond what is available",
  overspend: "an account spends no more than its limit and the stated overdraft",
  overdraft: "an overdraft is never more than a request used beyond what it held",
  ledger: "an account has spent exactly what the ledger says",
  rate: "a rate settles no more in any stretch of time than its burst and what drained meanwhile",
  inHand: "what requests hold and what is on its way to the ledger is covered by their owner's grant",
  slots: "no more requests run at the same time than an allowance has slots",
  fenced: "nothing new is held under an owner that is known to be fenced or whose lease is over",
  path: "a reservation holds of every allowance on its path, in the window that is now, and of no other",
  settlement: "a request takes from each allowance on its path exactly what it used",
  once: "what a request did is settled exactly once",
  refusal: "a refusal names an allowance on the path that had no room",
  lenient: "an allowance that does not refuse makes no request wait or fail",
  counted: "every refusal is counted at the bank, and none twice",
  idle: "nothing is refused while what it needs lies idle elsewhere",
  patience: "no request waits longer for its reservation than a recall takes",
  recovery: "once nothing is wrong any more every process serves and refuses as its allowances say",
  sequence: "a process never asks the bank out of sequence",
  quiescence: "when everything is settled nothing is held, granted or waiting any more",
  crash: "nothing fails but in ways that its interface names",
} as const;

export type Invariant = keyof typeof invariants;

export class Violation extends BrokenInvariant<Invariant> {}
