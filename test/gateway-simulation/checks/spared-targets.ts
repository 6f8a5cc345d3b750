/**
 * Whether a target that has answered nobody is left alone, and then called by few at a time. A process sees how its calls
 * end as the world does as long as all fail in the plainest way, one after another; from the first that does not, or that
 * overlaps with the last failure that counts, nothing more is asked of the target.
 */
import type { Config } from "../../../src/config/config.ts";
import type { Hold } from "../../../src/storage/records.ts";
import type { SimulatedCall } from "../providers/call.ts";
import { Violation } from "./violation.ts";

/** How early a target may be called again: the least part of `health.openMs`, and what is drawn off at the most. */
const SOONEST_SHARE = 1 / 16;
const DRAWN_SHARE = 0.75;
/** Between the end of a call for its provider and for the gateway. */
const SETTLES_WITHIN_MS = 1;

interface Watched {
  /** Openings whose calls have not left. */
  readonly opened: Set<string>;
  readonly calls: SimulatedCall[];
}

export class SparedTargets {
  readonly #config: Config;
  /** `null`: nothing is known of it. */
  readonly #targets = new Map<string, Watched | null>();

  constructor(config: Config) {
    this.#config = config;
  }

  /** A call begins, of a request or (`isComparison`) not. Throws a `Violation` if its target should be left alone. */
  opening({ attemptId, modelTarget }: Hold, isComparison: boolean, nowMs: number): void {
    const watched = this.#targets.getOrInsertComputed(modelTarget, () => ({ opened: new Set(), calls: [] }));
    if (watched === null) return;
    if (isComparison || watched.calls.some((call) => call.isOver && !hasFailedPlainly(call))) {
      this.#targets.set(modelTarget, null);
      return;
    }
    this.#judge(attemptId, watched, nowMs);
    watched.opened.add(attemptId);
  }

  called(call: SimulatedCall): void {
    const watched = this.#targets.get(call.facts.target) ?? null;
    if (watched === null) return;
    watched.opened.delete(call.facts.attemptId);
    watched.calls.push(call);
  }

  #judge(attemptId: string, { opened, calls }: Watched, nowMs: number): void {
    const { failuresInRow, openMs, openMaxMs, probes } = this.#config.health;
    const fatal = failuresInRow === 0 ? undefined : calls[failuresInRow - 1];
    if (fatal === undefined || opened.size > 0) return;
    const trippedAtMs = Math.max(...calls.slice(0, failuresInRow).map(({ endedAtMs }) => endedAtMs ?? Infinity));
    const later = calls.slice(failuresInRow);
    if (trippedAtMs > nowMs || later.some(({ beganAtMs }) => beganAtMs < trippedAtMs)) return;
    const failedAtMs = later.reduce((lastMs, { endedAtMs }) => Math.max(lastMs, endedAtMs ?? 0), trippedAtMs);
    if (nowMs - failedAtMs <= SETTLES_WITHIN_MS) return;
    const soonestMs = Math.min(trippedAtMs + openMs * DRAWN_SHARE, failedAtMs + openMs * SOONEST_SHARE * DRAWN_SHARE);
    if (nowMs < soonestMs) {
      const what = `${attemptId} calls a target that failed ${calls.length} times in a row`;
      throw new Violation("spared", `${what}, ${nowMs - failedAtMs} ms after the last time.`);
    }
    const probing = later.filter((call) => !call.isOver && call.beganAtMs > failedAtMs);
    const isSilent = probing.every(({ words, beganAtMs }) => words === 0 && nowMs - beganAtMs < openMaxMs);
    if (isSilent && probing.length >= probes) {
      throw new Violation("spared", `${attemptId} probes a target beside ${probing.length} others, of ${probes}.`);
    }
  }
}

/** No caller, credential or rate has to do with it, and the gateway has seen it to its end. */
function hasFailedPlainly({ status, words, endedBy }: SimulatedCall): boolean {
  if (endedBy === "end") return status !== null && status >= 500;
  return endedBy === "break" && status === null && words === 0;
}
