/**
 * Sends requests at a fixed rate, however long they take, until the time is over; then waits for those under way. Only
 * where too many are under way at once does the next one wait, and what was missed is not made up for.
 */
export interface Pace {
  readonly perSecond: number;
  readonly forMs: number;
  readonly underWayMax: number;
  /** Between looks at what is due, milliseconds. */
  readonly tickMs: number;
  /** For so long the last ones are waited for. */
  readonly endsWithinMs: number;
}

/** `send`: the next request; resolves when it is over. `tick`: at each look. Rejects if some do not end. */
export async function sendAtPace(pace: Pace, send: () => Promise<void>, tick: () => void): Promise<void> {
  const { perSecond, forMs, underWayMax, tickMs, endsWithinMs } = pace;
  const startedMs = performance.now();
  const underWay = new Set<Promise<void>>();
  const over = Promise.withResolvers<void>();
  let sent = 0;
  let missed = 0;
  const timer = setInterval(() => {
    const passedMs = performance.now() - startedMs;
    const due = Math.floor((Math.min(passedMs, forMs) / 1000) * perSecond) - missed;
    while (sent < due && underWay.size < underWayMax) {
      const request = send().finally(() => underWay.delete(request));
      underWay.add(request);
      sent++;
    }
    missed += Math.max(0, due - sent);
    tick();
    if (passedMs >= forMs) over.resolve();
  }, tickMs);
  await over.promise;
  clearInterval(timer);
  const late = Promise.withResolvers<never>();
  const alarm = setTimeout(() => {
    late.reject(new Error(`${underWay.size} requests have not ended ${endsWithinMs} ms after the last was sent.`));
  }, endsWithinMs);
  await Promise.race([Promise.all(underWay), late.promise]).finally(() => clearTimeout(alarm));
}
