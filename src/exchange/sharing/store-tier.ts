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
  async ask<Found>(what: string, question: (answers: AnswerStore) => Promise<Found>): Promise<Found | null> {
    const { clock, answers, telemetry } = this.#deps;
    if (clock.monotonicMs() < this.#awayUntilMs) return null;
    const pause = new Pause(clock, LOOK_MS);
    const asked = question(answers).catch((thrown: unknown) => {
      this.#awayUntilMs = clock.monotonicMs() + AWAY_MS;
      telemetry.backgroundFailed(what, thrown);
      return null;
    });
    const found = await Promise.race([asked, pause.over.then(() => null)]);
    pause.cancel();
    return found;
  }
}
