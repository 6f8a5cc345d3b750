/**
 * Lets what is held for a stream grow with its answer, slice by slice, ahead of the output.
 *
 *   within ── output nears the end of what is held ─▶ asking ─┬─ granted ─▶ within
 *                                                            ├─ refused, and there may be room for less ─▶ asking
 *                                                            └─ refused ─▶ refused ── all that is held is used ─▶ over
 *   asking ── all that is held is used ─▶ asking, and the provider is not read until there is an answer
 *
 * In `over` the stream is ended with an honest error. So one stream uses at the most one slice beyond what is held for
 * it, as far as the gateway sees its output: reasoning that a provider does not show is known at the end only, and what a
 * provider sends in one burst is generated and billed already. So what comes with the read that passes what is held, and
 * with the next one, is handed on: refusing it would cut answers that are paid for.
 */
import type { Price } from "../../accounting/price-book.ts";
import { type HeadgateError, toHeadgateError } from "../../kernel/errors.ts";
import { toNanoUsd } from "../../kernel/money.ts";
import type { Reservation } from "../../limits/limits.ts";
import type { Hold, HoldExtension } from "../../storage/records.ts";
import { holdingOf, type Holding } from "./estimate.ts";

/** A slice that was refused is tried again in smaller ones, down to this part of it. */
const smallestShare = 16;

/** What growth does to the stream that it belongs to. */
export interface GrowingStream {
  /** Stops reading the provider until `goOn`. */
  holdBack(): void;
  goOn(): void;
  /** Ends it. */
  exhaust(failure: HeadgateError): void;
}

export interface GrowthDeps {
  readonly reservation: Reservation;
  readonly hold: Hold;
  readonly price: Price | null;
  readonly sliceTokens: number;
  /** The most output that the attempt can have: up to there it grows. */
  readonly worst: Holding;
  /** Told of each extension, for the journal. */
  readonly extended: (extension: HoldExtension) => void;
  readonly stream: GrowingStream;
}

export class Growth {
  /** `reached` wants to be called once the output has so many tokens. */
  dueTokens: number;
  readonly #deps: GrowthDeps;
  #held: Holding;
  #sliceTokens: number;
  #usedTokens = 0;
  #asking = false;
  #heldBack = false;
  #stopped = false;
  #refusal: HeadgateError | null = null;

  constructor(deps: GrowthDeps) {
    this.#deps = deps;
    this.#sliceTokens = deps.sliceTokens;
    this.#held = { usage: deps.hold.heldUsage, costNanoUsd: deps.hold.heldCostNanoUsd };
    this.dueTokens = this.#nextDueTokens();
  }

  /** Cheap unless something is due. */
  reached(usedTokens: number): void {
    this.#usedTokens = usedTokens;
    if (usedTokens < this.dueTokens) return;
    if (!this.#asking && this.#refusal === null) this.#ask();
    if (usedTokens >= this.#held.usage.outputTokens) {
      if (this.#refusal !== null) this.#end(this.#refusal);
      else if (this.#asking) this.#holdBack();
    }
    this.dueTokens = this.#nextDueTokens();
  }

  /** The stream is over: an answer that still comes is not told to anyone. */
  stop(): void {
    this.#stopped = true;
    this.dueTokens = Infinity;
  }

  #nextDueTokens(): number {
    const heldTokens = this.#held.usage.outputTokens;
    if (this.#stopped || this.#heldBack) return Infinity;
    if (this.#refusal !== null || this.#asking) return heldTokens;
    if (heldTokens >= this.#deps.worst.usage.outputTokens) return Infinity;
    return heldTokens - this.#sliceTokens / 2;
  }

  /** For a slice beyond what is held, or beyond what has come, if that is more. */
  #ask(): void {
    const { price, worst, reservation } = this.#deps;
    const heldTokens = this.#held.usage.outputTokens;
    const outputTokens = Math.min(Math.max(heldTokens, this.#usedTokens) + this.#sliceTokens, worst.usage.outputTokens);
    const grown = holdingOf({ ...this.#held.usage, outputTokens }, price);
    const more = {
      costNanoUsd: toNanoUsd(grown.costNanoUsd - this.#held.costNanoUsd),
      tokens: outputTokens - heldTokens,
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
      this.#refused(thrown);
    }
  }

  /** There may be room for less. */
  #refused(thrown: unknown): void {
    const refusal = toHeadgateError(thrown);
    this.#sliceTokens = Math.floor(this.#sliceTokens / 2);
    const smallest = this.#deps.sliceTokens / smallestShare;
    if (refusal.allowance !== null && this.#sliceTokens >= smallest) this.#ask();
    else this.#refusal = refusal;
  }

  #answered(grown: Holding, refusal: unknown): void {
    this.#asking = false;
    if (this.#stopped) return;
    if (refusal === null) this.#granted(grown);
    else this.#refused(refusal);
    if (this.#asking) return;
    if (this.#heldBack) {
      this.#heldBack = false;
      this.#deps.stream.goOn();
    }
    this.dueTokens = this.#nextDueTokens();
    this.reached(this.#usedTokens);
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

  #holdBack(): void {
    this.#heldBack = true;
    this.#deps.stream.holdBack();
  }

  #end(refusal: HeadgateError): void {
    this.stop();
    this.#deps.stream.exhaust(refusal);
  }
}
