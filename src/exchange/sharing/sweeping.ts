import type { Clock } from "../../kernel/clock.ts";
import { repeat } from "../../kernel/repeat.ts";
import type { AnswerStore } from "../../storage/answers/answers.ts";
import type { Telemetry } from "../../telemetry/telemetry.ts";

const INTERVAL_MS = 60_000;

export interface SweepingDeps {
  readonly clock: Clock;
  readonly answers: AnswerStore;
  readonly telemetry: Pick<Telemetry, "backgroundFailed">;
  /** Of the configuration now. */
  readonly cachedBytesMax: () => number;
}

/** Drops kept answers whose time is over, and the oldest cached ones beyond their size, once a minute. */
export function keepSweeping({ clock, answers, telemetry, cachedBytesMax }: SweepingDeps): AsyncDisposable {
  return repeat(clock, INTERVAL_MS, async () => {
    try {
      await answers.sweep(cachedBytesMax());
    } catch (thrown) {
      telemetry.backgroundFailed("dropping answers whose time is over", thrown);
    }
  });
}
