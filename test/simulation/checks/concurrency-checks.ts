/** What depends on how many requests run at the same time: slots, and by how much streams may pass a limit. */
import type { Meter } from "../../../src/limits/allowance.ts";
import type { HeldAmount } from "../../../src/storage/escrow/bank.ts";
import type { ModelAccount, ModelBank } from "../model/bank.ts";
import type { Control } from "../model/control.ts";
import { highestPrice } from "../scenario/allowances.ts";
import { sliceTokens } from "../scenario/requests.ts";
import type { Asked } from "./asked.ts";
import { isOnEarlierPath } from "./call-checks.ts";
import type { DrawChecks } from "./draw-checks.ts";
import type { PathEntry } from "./path.ts";
import { Running } from "./running.ts";
import { Violation } from "./violation.ts";

export class ConcurrencyChecks {
  /** Requests that use slots, by the prefix of the accounts' ids; and those of one process, by `slotsKey`. */
  readonly slots: Running<Asked> = new Running();
  /** Requests that hold of it, or whose end the bank does not know of yet, by account. */
  readonly #holders = new Running<string>();
  readonly #control: Control;
  readonly #draws: DrawChecks;
  readonly #bankJumps: boolean;

  /** `bankJumps`: the bank's clock does, so that leases end before any process can know. */
  constructor(control: Control, draws: DrawChecks, bankJumps: boolean) {
    this.#control = control;
    this.#draws = draws;
    this.#bankJumps = bankJumps;
  }

  admitted(asked: Asked, held: readonly HeldAmount[], bank: ModelBank): void {
    const { instanceId, stoppedMs } = asked.process;
    // A process whose clocks stood still, or whose bank's clock jumped, cannot know yet that its lease is over.
    const isUnaware = (this.#bankJumps || stoppedMs > 0) && bank.isFenced(instanceId);
    const isTaken = ({ row, prefix }: PathEntry): boolean => row.meter === "slots" && !isOnEarlierPath(asked, prefix);
    const entries = isUnaware ? [] : asked.path.filter(isTaken);
    this.slots.began(
      asked,
      entries.flatMap(({ prefix }) => [prefix, slotsKey(prefix, instanceId)]),
    );
    this.#holders.began(
      asked.requestId,
      held.map(({ accountId }) => accountId),
    );
    for (const { row, prefix } of entries) {
      const account = bank.accounts.get(`${prefix}0`);
      if (account === undefined || this.#mayBePassed(row.id)) continue;
      const slots = this.#draws.limitOf(account);
      const running = this.slots.now(prefix);
      if (slots === null || BigInt(running) <= slots) continue;
      throw new Violation("slots", `${running} requests run under "${row.name}", which has ${slots} slots`);
    }
  }

  /** A process that is out of touch may live, and its requests go on without their slots. */
  fenced(instanceId: string): void {
    this.slots.endAll((asked) => asked.process.instanceId === instanceId);
  }

  /** Settled, or its process has died. */
  ended(asked: Asked): void {
    this.slots.ended(asked);
  }

  /** What it used has reached the bank, or never will. */
  accounted(requestId: string): void {
    this.#holders.ended(requestId);
  }

  /**
   * The limit, and one slice for each stream that ran at the same time, up to when its end reached the bank. What drains is
   * not remembered.
   */
  checkBound(account: ModelAccount): void {
    const { key, state } = account;
    const row = this.#control.allowance(key.allowanceId);
    const limit = this.#draws.limitOf(account);
    if (row === undefined || limit === null || state.drain !== null || state.spent <= limit) return;
    if (this.#mayBePassed(row.id)) return;
    const streams = this.#control.wasExpected(row.id) ? this.#holders.peak(key.accountId) : 0;
    if (state.spent <= limit + BigInt(streams) * sliceOf(row.meter)) return;
    const say = `${key.accountId} has spent ${state.spent} of a limit of ${limit}`;
    throw new Violation("overspend", `${say} by at the most ${streams} streams at the same time`);
  }

  /** While it was disabled nothing was held of it, and while it did not refuse more than there was. */
  #mayBePassed(allowanceId: string): boolean {
    return this.#control.wasDisabled(allowanceId) || this.#control.wasLenient(allowanceId);
  }
}

export function slotsKey(prefix: string, instanceId: string): string {
  return `${prefix} in ${instanceId}`;
}

function sliceOf(meter: Meter): bigint {
  if (meter === "money") return BigInt(sliceTokens) * highestPrice;
  return meter === "tokens" ? BigInt(sliceTokens) : 0n;
}
