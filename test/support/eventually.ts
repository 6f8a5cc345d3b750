import { setImmediate as nextTurn } from "node:timers/promises";
import { createSystemClock } from "../../src/kernel/clock.ts";

const clock = createSystemClock();

/** Far beyond what any of it takes: whoever must be quick is measured besides. */
const DEADLINE_MS = 30_000;
/** What is not there by then is looked for less often, for it is others' turn. */
const SOON_MS = 20;
const PAUSE_MS = 2;

/**
 * Looks until there is something to see, and returns it: in each turn of the event loop at first, then every few
 * milliseconds. `null`, `undefined` and `false` are nothing. Rejects, naming `what`, when the deadline has passed.
 */
export async function eventually<Seen>(
  what: string,
  look: () => Seen | Promise<Seen>,
  deadlineMs: number = DEADLINE_MS,
): Promise<NonNullable<Exclude<Seen, false>>> {
  const startedMs = performance.now();
  for (;;) {
    const seen = await look();
    if (seen !== null && seen !== undefined && seen !== false) return seen as NonNullable<Exclude<Seen, false>>;
    const tookMs = performance.now() - startedMs;
    if (tookMs > deadlineMs) throw new Error(`Not within ${deadlineMs} ms: ${what}.`);
    if (tookMs < SOON_MS) await nextTurn();
    else await pause();
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => {
    clock.setTimer(resolve, PAUSE_MS);
  });
}
