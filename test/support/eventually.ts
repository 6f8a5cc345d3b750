import { setImmediate as nextTurn } from "node:timers/promises";

/** Far beyond what any of it takes: whoever must be quick is measured besides. */
const DEADLINE_MS = 30_000;

/**
 * Looks until there is something to see, giving the event loop a turn between two looks, and returns it. `null`,
 * `undefined` and `false` are nothing. Rejects, naming `what`, when the deadline has passed.
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
    if (performance.now() - startedMs > deadlineMs) throw new Error(`Not within ${deadlineMs} ms: ${what}.`);
    await nextTurn();
  }
}
