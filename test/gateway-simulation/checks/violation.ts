import { BrokenInvariant } from "../../support/seeds/violation.ts";

/** What must hold in every world at every moment; each by the sentence that a failing run prints. */
export const invariants = {
  once: "every request ends exactly once",
  overdue:
    "every request ends by its deadline, within the total time that is configured, and soon after its caller has left or a grace period is over",
  afterwards: "nothing is written after the end of an answer, nor to a caller who has left",
  truncated:
    "an answer that is complete for its caller is one provider's whole answer, to the letter, which it said was finished",
  marker: "a stream has one terminal marker at its end if it is complete, and none otherwise",
  heldBack: "a route that holds answers back until they are complete never shows a part of one",
  committed: "an answer is complete only when its record is committed",
  held: "a call leaves only when its hold is committed",
  journal: "an attempt is held or settled, never both, never neither, and settled once",
  invoice: "where the provider reported usage the ledger charges what its invoice says",
  charge: "what was not reported is charged as its ending demands",
  spent: "what allowances have spent is what the ledger says",
  shared:
    "equal requests that share an answer are made once and answered the same, and nobody else gets it, nor later than it may be given",
  attempts: "no request causes more calls than its route allows",
  budget: "calls made again and hedges take no more than what the budget of their target allows",
  terms: "a call goes only where its route and its caller allow it to go",
  timely: "a call lasts no longer than the timers of its target allow",
  retry:
    "a call is made again only where that may help: not after a refusal of the request, nor after output was shown",
  wait: "a target that asked for time is not called again before it is over",
  turn: "a fallback is called only where each target before it was called or passed over",
  spared: "a target that has answered nobody is left alone, and then probed by no more calls at a time than configured",
  backoff: "a target that has failed is called again after a backoff",
  order: "events of a stream come in the order that its dialect demands",
  cancelled: "a call whose answer nobody waits for is stopped within 100 ms",
  bounded: "no more calls of a provider run at a time than it is configured to take",
  memory: "what waits in memory for a caller or for a commit is bounded",
  record: "the record says what the caller saw",
  recovery: "once nothing is wrong any more a request is answered",
  quiescence: "when everything is over no timer, slot, pass, hold, grant or reservation is left",
  crash: "nothing fails but in ways that its interface names",
} as const;

export type Invariant = keyof typeof invariants;

export class Violation extends BrokenInvariant<Invariant> {}
