/** Judges a steady soak: what callers saw, what was measured at rest, and what repetitions caused. */
import { describeOutcome } from "../figures.ts";
import type { Finding } from "../findings.ts";
import type { LedgerBooks } from "../ledger-books.ts";
import type { Outcome } from "../caller.ts";
import { type Bound, type Flatness, flatnessOf } from "./flatness.ts";
import { answerOf } from "./right-answers.ts";
import type { Errand } from "./traffic.ts";
import { underWay, type Vitals } from "./vitals.ts";

const MIB = 1_048_576;

/** Taken while nothing was under way; `logBytes` is the most that the write-ahead logs had before. */
export interface Rest extends Vitals {
  readonly afterMs: number;
  readonly logBytes: number;
}

/** What is measured. */
export type Measure = "heapBytes" | "rssBytes" | "descriptors" | "handles" | "timers";

/** What the last third of a soak may have more than the first. */
const bounds: Readonly<Record<Measure, Bound>> = {
  heapBytes: { share: 0.1, slack: 6 * MIB },
  rssBytes: { share: 0.1, slack: 48 * MIB },
  // Idle connections to the simulator are kept for minutes: as many as were ever used at a time, be that late or early.
  descriptors: { share: 0, slack: 100 },
  handles: { share: 0, slack: 16 },
  timers: { share: 0, slack: 8 },
};
export const measures: readonly Measure[] = Object.keys(bounds) as Measure[];

/**
 * The journal's log grows to 64 MiB before it is written over from its beginning, whether that takes minutes or hours, so
 * it is not flat but bounded. It is looked at after each 8 MiB, and a few are written until the journal has paused. So is
 * the log of kept answers, at 16 MiB.
 */
export const LOG_BYTES_MAX: number = (64 + 8 + 4 + 16 + 8 + 4) * MIB;

export function flatnessOfMeasure(rests: readonly Rest[], measure: Measure): Flatness {
  return flatnessOf(
    rests.map((rest) => rest[measure]),
    bounds[measure],
  );
}

export function auditAnswer({ right, provider }: Errand, outcome: Outcome): Finding | null {
  const answer = answerOf(outcome);
  if (!right.includes(answer)) {
    const code = String(outcome.headers["x-headgate-error-code"] ?? "no code");
    const detail = `${describeOutcome(outcome, null)}; right were ${right.join(", ")}; ${code}; ${outcome.tail.slice(-300)}`;
    return { rule: `an unexpected answer: ${answer}`, detail };
  }
  const answeredBy = outcome.headers["x-headgate-provider"];
  if (provider !== null && answer === "complete" && answeredBy !== provider) {
    return {
      rule: "answered by another than it has to be",
      detail: `${String(answeredBy)}: ${describeOutcome(outcome, null)}`,
    };
  }
  const mustSayWhen = answer === 503 || answer === 429;
  if (mustSayWhen && outcome.headers["retry-after"] === undefined) {
    return { rule: "a refusal that does not say when to try again", detail: describeOutcome(outcome, null) };
  }
  return null;
}

export function auditRests(rests: readonly Rest[]): Finding[] {
  const findings = rests.flatMap((rest) =>
    underWay(rest).map((what) => ({ rule: "something is under way at rest", detail: `${at(rest)}: ${what}` })),
  );
  for (const rest of rests) {
    if (rest.logBytes > LOG_BYTES_MAX)
      findings.push({ rule: "the write-ahead log grew too large", detail: `${at(rest)}: ${rest.logBytes} bytes` });
  }
  for (const measure of measures) {
    const { first, last, most, isFlat } = flatnessOfMeasure(rests, measure);
    if (isFlat) continue;
    const detail = `${measure}: ${first} in the first third, ${last} in the last, at most ${Math.round(most)} allowed; ${rests.map((rest) => rest[measure]).join(" ")}`;
    findings.push({ rule: "it grows", detail });
  }
  return findings;
}

/** Of requests with one `Idempotency-Key` one makes calls, at the most. */
export function auditRepetitions(
  served: readonly { readonly errand: Errand; readonly outcome: Outcome }[],
  { requests }: LedgerBooks,
): Finding[] {
  const callers = new Map<string, string[]>();
  for (const { errand, outcome } of served) {
    const row = requests.get(outcome.requestId ?? "");
    if (errand.idempotencyKey === null || row === undefined || row.attempts === 0) continue;
    const made = callers.get(errand.idempotencyKey) ?? [];
    callers.set(errand.idempotencyKey, [...made, describeOutcome(outcome, row)]);
  }
  return [...callers.entries()]
    .filter(([, made]) => made.length > 1)
    .map(([key, made]) => ({
      rule: "a request with an Idempotency-Key was made twice",
      detail: `${key}: ${made.join(" | ")}`,
    }));
}

function at({ afterMs }: Rest): string {
  return `after ${(afterMs / 1000).toFixed(0)} s`;
}
