/** Health that watches nothing: every target may be called, credentials take turns. */
import type { CallInHealth, TargetHealth, TargetsHealth } from "../../src/routing/health/health.ts";

const call: CallInHealth = { outputBegan: () => {}, ended: () => {} };

const target: TargetHealth = {
  availableAtMs: (nowMs) => nowMs,
  lastResortAtMs: (nowMs) => nowMs,
  leftAlone: () => null,
  begin: () => call,
  spendRetry: () => true,
  callsOfLate: () => ({ calls: 0, limited: 0, spanMs: 1_000 }),
  load: () => 0,
  slowFirstOutputMs: () => null,
  slowAnswerMs: () => null,
  slowestAnswerMs: () => null,
};

export function createUnwatchedHealth(): TargetsHealth {
  let turn = 0;
  return {
    target: () => target,
    credentials: () => ({
      next: (names, tried) => {
        const left = names.filter((name) => !tried.includes(name));
        return left[turn++ % left.length] ?? null;
      },
      isMarked: () => false,
      refused: () => {},
      limited: () => {},
      accepted: () => {},
    }),
    configure: () => {},
    standings: () => [],
  };
}
