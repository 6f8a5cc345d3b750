/**
 * Whether calls of a target that has failed are made again after a backoff. A single one may be drawn from near to nothing;
 * that all of many are is no chance: with six, one world in a million.
 */
import type { Config } from "../../../src/config/config.ts";
import type { Request } from "../callers/request.ts";
import type { SimulatedCall } from "../providers/call.ts";
import { retriesOf } from "./terms.ts";
import { Violation } from "./violation.ts";

const ENOUGH = 6;
/** Of the shortest bound that a backoff is drawn beneath. */
const SHORT_SHARE = 0.1;

export class Backoffs {
  readonly #config: Config;
  #count = 0;
  #longest = 0;

  constructor(config: Config) {
    this.#config = config;
  }

  /** To be told before the call is one of the request's. */
  called(request: Request, call: SimulatedCall): void {
    const before = request.calls.findLast(({ facts }) => facts.target === call.facts.target);
    const { backoffMs, backoffMaxMs } = retriesOf(request, this.#config);
    const bound = Math.min(backoffMs, backoffMaxMs);
    if (bound === 0 || before === undefined || before.facts.key !== call.facts.key) return;
    if (before.endedAtMs === null || before.status === null || before.status < 500) return;
    this.#count++;
    this.#longest = Math.max(this.#longest, (call.beganAtMs - before.endedAtMs) / bound);
  }

  /** Throws a `Violation` at the end of a world. */
  checkEnd(): void {
    if (this.#count < ENOUGH || this.#longest >= SHORT_SHARE) return;
    throw new Violation(
      "backoff",
      `${this.#count} calls were made again, none after a ${1 / SHORT_SHARE}th of a backoff.`,
    );
  }
}
