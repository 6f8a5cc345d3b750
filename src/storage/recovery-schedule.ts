/** Runs recovery again and again, never two at once, and waits for the one under way when it is stopped. */
import type { Clock, Timer } from "../kernel/clock.ts";

export function scheduleRecovery(clock: Clock, intervalMs: number, recover: () => Promise<void>): AsyncDisposable {
  let timer: Timer | null = null;
  let running: Promise<void> = Promise.resolve();
  let stopped = false;

  const wait = (): void => {
    if (!stopped) timer = clock.setTimer(run, intervalMs);
  };
  const run = (): void => {
    running = recover().then(wait);
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
