/** The cache's tier in the store. A store that is slow has nothing, and one that is away is left alone for a while. */
import type { Clock } from "../../kernel/clock.ts";
import type { AnswerStore } from "../../storage/answers/answers.ts";
import type { Telemetry } from "../../telemetry/telemetry.ts";
import { Pause } from "../course/pause.ts";

export interface StoreTierDeps {
  readonly clock: Clock;
  readonly answers: AnswerStore;
  readonly telemetry: Pick<Telemetry, "backgroundFailed">;
}

/** How long a request waits for the store. */
const LOOK_MS = 100;
/** How long the store is not asked after it could not be. */
const AWAY_MS = 5_000;

export class StoreTier {
  readonly #deps: StoreTierDeps;
  #awayUntilMs = 0;

  constructor(deps: StoreTierDeps) {
    this.#deps = deps;
  }

  /** `null`: it has none, or did not say so in time; what was asked goes on. */
  async ask<Found>(what: string, question: (answers: AnswerStore) => Found | Promise<Found>): Promise<Found | null> {
    const { clock, answers } = this.#deps;
    if (clock.monotonicMs() < this.#awayUntilMs) return null;
    try {
      const found = question(answers);
      return found instanceof Promise ? await this.#awaited(what, found) : found;
    } catch (thrown) {
      return this.#failed(what, thrown);
    }
  }

  async #awaited<Found>(what: string, asked: Promise<Found>): Promise<Found | null> {
    const pause = new Pause(this.#deps.clock, LOOK_MS);
    const found = asked.catch((thrown: unknown) => this.#failed(what, thrown));
    const inTime = await Promise.race([found, pause.over.then(() => null)]);
    pause.cancel();
    return inTime;
  }

  #failed(what: string, thrown: unknown): null {
    const { clock, telemetry } = this.#deps;
    this.#awayUntilMs = clock.monotonicMs() + AWAY_MS;
    telemetry.backgroundFailed(what, thrown);
    return null;
  }
}
