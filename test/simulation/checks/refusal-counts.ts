/**
 * How often requests were refused, or would have been, as callers and events told, beside what the bank has counted. What a
 * process has counted dies with it, so the bank may know of less, but never of more.
 */
import type { ModelAccount } from "../model/bank.ts";
import type { Control } from "../model/control.ts";
import { Violation } from "./violation.ts";

export class RefusalCounts {
  readonly #control: Control;
  readonly #seen = new Map<string, number>();
  /** Requests that were refused, each with the allowance. */
  readonly #refused = new Set<string>();
  /** Refusals of requests that were refused there before: they count only if that was in another window. */
  readonly #again = new Map<string, number>();

  constructor(control: Control) {
    this.#control = control;
  }

  /** `prefix`: of the accounts' ids. However often its answer asks for more, a request counts once in each window. */
  refused(requestId: string, prefix: string): void {
    const key = `${requestId} ${prefix}`;
    if (this.#refused.has(key)) {
      this.#again.set(prefix, (this.#again.get(prefix) ?? 0) + 1);
      return;
    }
    this.#refused.add(key);
    this.passed(prefix);
  }

  /** An event told of it. */
  passed(prefix: string): void {
    this.#seen.set(prefix, this.seen(prefix) + 1);
  }

  seen(prefix: string): number {
    return this.#seen.get(prefix) ?? 0;
  }

  /** `isComplete`: nothing has died, and every process has stopped. */
  check(accounts: Iterable<ModelAccount>, isComplete: boolean): void {
    const counted = new Map<string, number>();
    for (const { key, state } of accounts) {
      const prefix = `${key.allowanceId}|${key.subject}|`;
      counted.set(prefix, (counted.get(prefix) ?? 0) + state.refusals);
    }
    for (const [prefix, count] of counted) {
      const seen = this.seen(prefix);
      const most = seen + (this.#again.get(prefix) ?? 0);
      if (count <= most && (!isComplete || count >= seen || this.#isMixed(prefix))) continue;
      throw new Violation("counted", `${prefix} has counted ${count} refusals of ${seen}`);
    }
  }

  /** While it was disabled there was nobody to tell; and who passed it before it refused is not counted again. */
  #isMixed(prefix: string): boolean {
    const id = prefix.slice(0, prefix.indexOf("|"));
    return this.#control.wasDisabled(id) || this.#control.modesOf(id).length > 1;
  }
}
