/** Runs background work again and again, never two at once, and waits for the one under way when it is stopped. */
import type { Clock, Timer } from "./clock.ts";

/** `work` handles its own failures: a rejection is a bug and ends the process. The first run is after one interval. */
export function repeat(clock: Clock, intervalMs: number, work: () => Promise<void>): AsyncDisposable {
  let timer: Timer | null = null;
  let running: Promise<void> = Promise.resolve();
  let stopped = false;

  const wait = (): void => {
    if (!stopped) timer = clock.setTimer(run, intervalMs);
  };
  const run = (): void => {
    running = work().then(wait);
  };

  wait();
  return {
    async [Symbol.asyncDispose]() {
      stopped = true;
      timer?.cancel();
      await running;
    },
  };
}
