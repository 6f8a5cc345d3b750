import type { Clock } from "../../kernel/clock.ts";

/** Whether `work` ends well within `delayMs`. If not, it goes on, and how it ends is nobody's concern. */
export async function endsWithin(clock: Clock, delayMs: number, work: Promise<unknown>): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = clock.setTimer(() => resolve(false), delayMs);
  work.then(
    () => resolve(true),
    () => resolve(false),
  );
  const endedWell = await promise;
  timer.cancel();
  return endedWell;
}
