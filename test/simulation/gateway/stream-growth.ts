/**
 * Lets what is held for a stream grow with its output, as the exchange does: it asks for another slice half a slice
 * before the end of what is held, and stops the stream at the end of it where that is refused, or a slice later where
 * the answer does not come.
 */
import type { Reservation } from "../../../src/limits/limits.ts";
import { demand, sliceTokens, type RequestPlan } from "../scenario/requests.ts";

export interface GrowthEvents {
  /** By so many tokens in all. */
  grown(tokens: number): void;
  /** Also when the stream is over. */
  refused(thrown: unknown): void;
}

export class StreamGrowth {
  readonly #plan: RequestPlan;
  readonly #reservation: Reservation;
  readonly #events: GrowthEvents;
  readonly #firstTokens: number;
  #grownTokens = 0;
  #state: "within" | "asking" | "refused" | "over" = "within";

  constructor(plan: RequestPlan, reservation: Reservation, events: GrowthEvents) {
    this.#plan = plan;
    this.#reservation = reservation;
    this.#events = events;
    this.#firstTokens = Math.min(plan.outputTokensMax, sliceTokens);
  }

  /** Output tokens that are held. */
  get heldTokens(): number {
    return this.#firstTokens + this.#grownTokens;
  }

  /** Output so far. Returns how much of it there may be at the most: the stream is stopped there. */
  reached(outputTokens: number): number {
    if (!this.#reservation.growing) return this.#plan.outputTokensMax;
    const isDue = outputTokens >= this.heldTokens - sliceTokens / 2;
    if (this.#state === "within" && isDue && this.heldTokens < this.#plan.outputTokensMax) this.#ask();
    return this.#state === "refused" ? this.heldTokens : this.heldTokens + sliceTokens;
  }

  /** Answers that still come are told to nobody. */
  stop(): void {
    this.#state = "over";
  }

  #ask(): void {
    const tokens = Math.min(sliceTokens, this.#plan.outputTokensMax - this.heldTokens);
    try {
      const waiting = this.#reservation.extend(demand(tokens, this.#plan.price));
      if (waiting === null) {
        this.#grow(tokens);
        return;
      }
      this.#state = "asking";
      waiting.then(
        () => {
          if (this.#state !== "asking") return;
          this.#state = "within";
          this.#grow(tokens);
        },
        (thrown: unknown) => this.#refuse(thrown),
      );
    } catch (thrown) {
      this.#state = "asking";
      this.#refuse(thrown);
    }
  }

  #grow(tokens: number): void {
    this.#grownTokens += tokens;
    this.#events.grown(this.#grownTokens);
  }

  #refuse(thrown: unknown): void {
    if (this.#state === "asking") this.#state = "refused";
    this.#events.refused(thrown);
  }
}
