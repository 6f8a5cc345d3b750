/**
 * Lets what is held for a stream grow with its answer, slice by slice, ahead of the output.
 *
 *   within ── output nears the end of what is held ─▶ asking ─┬─ granted ─▶ within
 *                                                            └─ refused ─▶ refused ── all that is held is used ─▶ over
 *   asking ── a whole slice more has come ─▶ over
 *
 * In `over` the stream is ended with an honest error. So one stream uses at the most one slice beyond what is held for
 * it, as far as the gateway sees its output: reasoning that a provider does not show is known at the end only.
 */
import type { Price } from "../../accounting/price-book.ts";
import { HeadgateError, toHeadgateError } from "../../kernel/errors.ts";
import { toNanoUsd } from "../../kernel/money.ts";
import type { Reservation } from "../../limits/limits.ts";
import type { Hold, HoldExtension } from "../../storage/records.ts";
import { holdingOf, type Holding } from "./estimate.ts";

/**
 * Output bytes that are counted as a token while a stream runs. Fewer than text has on average (about four in English,
 * three in one Chinese character), so that what is held stays ahead of what is billed.
 */
const bytesPerToken = 3;

export interface GrowthDeps {
  readonly reservation: Reservation;
  readonly hold: Hold;
  readonly price: Price | null;
  readonly sliceTokens: number;
  /** The most output that the attempt can have: up to there it grows. */
  readonly worst: Holding;
  /** Told of each extension, for the journal. */
  readonly extended: (extension: HoldExtension) => void;
  /** Ends the stream. */
  readonly end: (failure: HeadgateError) => void;
}

export class Growth {
  /** `reached` wants to be called once the output has so many bytes. */
  dueBytes: number;
  readonly #deps: GrowthDeps;
  #held: Holding;
  #asking = false;
  #refusal: HeadgateError | null = null;

  constructor(deps: GrowthDeps) {
    this.#deps = deps;
    this.#held = { usage: deps.hold.heldUsage, costNanoUsd: deps.hold.heldCostNanoUsd };
    this.dueBytes = this.#nextDueBytes();
  }

  /** Cheap unless something is due. */
  reached(outputBytes: number): void {
    if (outputBytes < this.dueBytes) return;
    if (this.#asking || this.#refusal !== null) this.#end();
    else this.#ask();
    this.dueBytes = this.#nextDueBytes();
  }

  /** The stream is over: an answer that still comes is not told to anyone. */
  stop(): void {
    this.dueBytes = Infinity;
  }

  #nextDueBytes(): number {
    if (this.dueBytes === Infinity) return Infinity;
    const { sliceTokens, worst } = this.#deps;
    const heldTokens = this.#held.usage.outputTokens;
    if (this.#refusal !== null) return heldTokens * bytesPerToken;
    if (this.#asking) return (heldTokens + sliceTokens) * bytesPerToken;
    if (heldTokens >= worst.usage.outputTokens) return Infinity;
    return (heldTokens - sliceTokens / 2) * bytesPerToken;
  }

  #ask(): void {
    const { price, sliceTokens, worst, reservation } = this.#deps;
    const outputTokens = Math.min(this.#held.usage.outputTokens + sliceTokens, worst.usage.outputTokens);
    const grown = holdingOf({ ...this.#held.usage, outputTokens }, price);
    const more = {
      costNanoUsd: toNanoUsd(grown.costNanoUsd - this.#held.costNanoUsd),
      tokens: outputTokens - this.#held.usage.outputTokens,
    };
    try {
      const waiting = reservation.extend(more);
      if (waiting === null) {
        this.#granted(grown);
        return;
      }
      this.#asking = true;
      waiting.then(
        () => this.#answered(grown, null),
        (thrown: unknown) => this.#answered(grown, thrown),
      );
    } catch (thrown) {
      this.#refusal = toHeadgateError(thrown);
    }
  }

  #answered(grown: Holding, refusal: unknown): void {
    this.#asking = false;
    if (this.dueBytes === Infinity) return;
    if (refusal === null) this.#granted(grown);
    else this.#refusal = toHeadgateError(refusal);
    this.dueBytes = this.#nextDueBytes();
  }

  #granted(grown: Holding): void {
    const { hold, reservation, extended } = this.#deps;
    this.#held = grown;
    extended({
      attemptId: hold.attemptId,
      heldUsage: grown.usage,
      heldCostNanoUsd: grown.costNanoUsd,
      heldAmounts: reservation.heldAmounts,
    });
  }

  #end(): void {
    this.stop();
    this.#deps.end(this.#refusal ?? unanswered());
  }
}

function unanswered(): HeadgateError {
  return new HeadgateError(
    "storage_unavailable",
    "The answer outgrew what was held for it, and the store could not be asked for more in time.",
  );
}
