/**
 * How long a server command runs: until a signal asks it to stop, or something nobody handled makes it. A second
 * signal means at once. One press of Ctrl-C can arrive twice, from the terminal and from npm, so a second signal
 * within half a second is taken for the same.
 */
import type { CliContext } from "../context.ts";

export interface StopRequests extends Disposable {
  /** Resolves at the first request to stop. */
  readonly first: Promise<StopReason>;
  /** Resolves when it is asked for again. */
  readonly second: Promise<void>;
}

export type StopReason =
  | { readonly kind: "signal"; readonly signal: "SIGINT" | "SIGTERM" }
  | { readonly kind: "unhandled"; readonly error: unknown };

const SAME_PRESS_MS = 500;

export function awaitStop({ process, clock }: Pick<CliContext, "process" | "clock">): StopRequests {
  const first = Promise.withResolvers<StopReason>();
  const second = Promise.withResolvers<void>();
  let askedMs: number | null = null;
  const ask = (reason: StopReason): void => {
    const nowMs = clock.monotonicMs();
    if (askedMs === null) {
      askedMs = nowMs;
      first.resolve(reason);
    } else if (reason.kind === "signal" && nowMs - askedMs > SAME_PRESS_MS) second.resolve();
  };
  const signals = ["SIGINT", "SIGTERM"] as const;
  const ends = signals.map((signal) => process.onSignal(signal, () => ask({ kind: "signal", signal })));
  ends.push(process.onUnhandled((error) => ask({ kind: "unhandled", error })));
  return {
    first: first.promise,
    second: second.promise,
    [Symbol.dispose]: () => ends.forEach((end) => end()),
  };
}
