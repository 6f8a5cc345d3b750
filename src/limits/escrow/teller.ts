/**
 * Asks the bank, for all purses of one owner: what they want within one turn of the event loop goes in one message. An
 * answer that does not come leaves the operation unknown; it is repeated by the owner's poll.
 */
import { HeadgateError } from "../../kernel/errors.ts";
import type { Bank, DrawRequest, ReturnRequest } from "../../storage/escrow/bank.ts";
import type { Allowance } from "../allowance.ts";
import type { PurseDesk } from "./desk.ts";
import type { Purse } from "./purse.ts";
import type { Reach } from "../owner/reach.ts";
import type { Operation } from "./supply.ts";
import type { KeptRoom } from "./takings.ts";

export interface TellerDeps {
  readonly bank: Pick<Bank, "draw" | "giveBack" | "recall">;
  readonly reach: Reach;
  readonly pollMs: number;
  readonly recallWaitMs: number;
  readonly keptRoom: KeptRoom;
  readonly nowMs: () => number;
  readonly passedLimit: (allowance: Allowance, subject: string) => void;
  /** The bank says that the owner is fenced. */
  readonly fenced: () => void;
  /** The bank says that the owner has lost count of its operations: a bug, and it would say so again. */
  readonly contradicted: () => void;
}

/** In one message: they are locked together at the bank. */
const ACCOUNTS_MAX = 100;

interface Errand {
  readonly purse: Purse;
  readonly operation: Operation;
}

export class Teller implements PurseDesk {
  readonly pollMs: number;
  readonly recallWaitMs: number;
  readonly keptRoom: KeptRoom;
  readonly nowMs: () => number;
  readonly passedLimit: (allowance: Allowance, subject: string) => void;
  readonly #ownerId: string;
  readonly #deps: TellerDeps;
  #due: Purse[] = [];
  #toRecall: Purse[] = [];
  #isScheduled = false;
  #isStopped = false;

  constructor(ownerId: string, deps: TellerDeps) {
    this.pollMs = deps.pollMs;
    this.recallWaitMs = deps.recallWaitMs;
    this.keptRoom = deps.keptRoom;
    this.nowMs = deps.nowMs;
    this.passedLimit = deps.passedLimit;
    this.#ownerId = ownerId;
    this.#deps = deps;
  }

  get isReachable(): boolean {
    return this.#deps.reach.isReachable && !this.#isStopped;
  }

  get retryAfterMs(): number {
    return this.#deps.reach.retryAfterMs(this.nowMs(), this.pollMs);
  }

  wake(purse: Purse): void {
    if (purse.isDue) return;
    purse.isDue = true;
    this.#due.push(purse);
    this.#schedule();
  }

  recall(purse: Purse): void {
    this.#toRecall.push(purse);
    this.#schedule();
  }

  /** Asks once more what was not answered. */
  repeat(purses: Iterable<Purse>): void {
    if (this.#isStopped) return;
    const errands: Errand[] = [];
    for (const purse of purses) {
      const operation = purse.repeat();
      if (operation !== null) errands.push({ purse, operation });
    }
    this.#send(errands);
  }

  /** Nothing more is asked; what is under way is answered, or not. */
  stop(): void {
    this.#isStopped = true;
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isStopped) return;
    this.#isScheduled = true;
    queueMicrotask(this.#flush);
  }

  readonly #flush = (): void => {
    this.#isScheduled = false;
    if (this.#isStopped) return;
    const [due, toRecall] = [this.#due, this.#toRecall];
    this.#due = [];
    this.#toRecall = [];
    const errands: Errand[] = [];
    for (const purse of due) {
      purse.isDue = false;
      const operation = purse.begin();
      if (operation !== null) errands.push({ purse, operation });
    }
    this.#send(errands);
    if (toRecall.length > 0) void this.#recall(toRecall);
  };

  #send(errands: readonly Errand[]): void {
    const draws = errands.filter(({ operation }) => operation.errand.kind === "draw");
    const returns = errands.filter(({ operation }) => operation.errand.kind === "return");
    for (let at = 0; at < draws.length; at += ACCOUNTS_MAX) void this.#draw(draws.slice(at, at + ACCOUNTS_MAX));
    for (let at = 0; at < returns.length; at += ACCOUNTS_MAX) void this.#giveBack(returns.slice(at, at + ACCOUNTS_MAX));
  }

  async #draw(errands: readonly Errand[]): Promise<void> {
    const results = await this.#ask(errands, () => this.#deps.bank.draw(this.#ownerId, errands.flatMap(toDraw)));
    for (const [index, result] of (results ?? []).entries()) errands[index]?.purse.drawn(result);
  }

  async #giveBack(errands: readonly Errand[]): Promise<void> {
    const done = await this.#ask(errands, async () => {
      await this.#deps.bank.giveBack(this.#ownerId, errands.map(toReturn));
      return true;
    });
    if (done === true) for (const { purse } of errands) purse.returned();
  }

  async #recall(purses: readonly Purse[]): Promise<void> {
    try {
      await this.#deps.bank.recall(
        this.#ownerId,
        purses.map((purse) => purse.account.accountId),
      );
      this.#deps.reach.answered();
    } catch (thrown) {
      this.#deps.reach.failed(thrown);
      for (const { shortage } of purses) shortage.recallFailed();
    }
  }

  /** `null`: no answer. */
  async #ask<Answer>(errands: readonly Errand[], ask: () => Promise<Answer>): Promise<Answer | null> {
    try {
      const answer = await ask();
      this.#deps.reach.answered();
      return answer;
    } catch (thrown) {
      if (thrown instanceof HeadgateError && thrown.code === "owner_fenced") {
        this.#deps.reach.answered();
        this.#deps.fenced();
        return null;
      }
      this.#deps.reach.failed(thrown);
      for (const { purse } of errands) purse.unanswered();
      if (thrown instanceof HeadgateError && thrown.code === "internal") this.#deps.contradicted();
      return null;
    }
  }
}

function toDraw({ purse, operation: { errand, sequence, refusals } }: Errand): DrawRequest[] {
  return errand.kind === "draw"
    ? [{ account: purse.account, sequence, need: errand.need, want: errand.want, refusals }]
    : [];
}

function toReturn({ purse, operation: { sequence, amount, refusals } }: Errand): ReturnRequest {
  return { accountId: purse.account.accountId, sequence, amount, refusals };
}
