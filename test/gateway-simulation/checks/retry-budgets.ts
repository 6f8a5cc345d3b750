/**
 * Whether calls that are made again, and hedges, stay within what is left of their target's budget. It is asked whenever a
 * hold is to be written, which every call begins with, and goes only by calls that must have been taken from the budget,
 * and by when they were taken at the latest and at the earliest: so what it finds is more than the budget ever allows.
 */
import type { Config } from "../../../src/config/config.ts";
import type { Hold } from "../../../src/storage/records.ts";
import type { Request } from "../callers/request.ts";
import { credentialStatuses } from "./call-checks.ts";
import { retriesOf, timeoutsOf, totalMsOf } from "./terms.ts";
import { Violation } from "./violation.ts";

/** `retries.budgetPercent`: so many are always allowed within ten seconds. */
const ALWAYS = 10;
const WINDOW_MS = 10_000;
/** Of requests some more count: time is taken in whole seconds. */
const REQUESTS_WINDOW_MS = 11_000;
/** Of the deadline, for the answer to be delivered; and of timers. */
const RESERVE_MS = 60;

/** One that was taken from the budget, and when: not before the one, not after the other. */
interface Taken {
  readonly fromMs: number;
  readonly untilMs: number;
}

interface Opening {
  readonly target: string;
  readonly credential: string;
  readonly atMs: number;
}

interface Target {
  readonly openedAtMs: number[];
  readonly taken: Taken[];
}

export class RetryBudgets {
  readonly #config: Config;
  readonly #targets = new Map<string, Target>();
  readonly #openings = new Map<Request, Opening[]>();

  constructor(config: Config) {
    this.#config = config;
  }

  /** Throws a `Violation` for a call that nothing was left for. `request`: `null` for a comparison, which only counts. */
  opening(request: Request | null, hold: Hold, nowMs: number): void {
    const { modelTarget, credential, attemptId } = hold;
    const target = this.#targets.getOrInsertComputed(modelTarget, () => ({ openedAtMs: [], taken: [] }));
    if (request === null) {
      target.openedAtMs.push(nowMs);
      return;
    }
    const openings = this.#openings.getOrInsertComputed(request, () => []);
    const opening: Opening = { target: modelTarget, credential, atMs: nowMs };
    const fromMs = this.#takenSinceMs(request, openings, opening);
    const isForItself = this.#spendsForItself(request, openings);
    target.openedAtMs.push(nowMs);
    openings.push(opening);
    if (fromMs === null) return;
    const taken = { fromMs, untilMs: nowMs };
    const percent = retriesOf(request, this.#config).budgetPercent;
    const used = countWithin(target.taken, taken);
    const requests = target.openedAtMs.filter((atMs) => atMs > fromMs - REQUESTS_WINDOW_MS).length - used;
    target.taken.push(taken);
    if (isForItself) target.taken.push(taken);
    const most = percent === 0 ? 0 : Math.max(ALWAYS, (requests * percent) / 100);
    if (used + (isForItself ? 1 : 0) < most) return;
    const what = `${used} calls of ${modelTarget} were made again within ten seconds, of ${requests} requests`;
    throw new Violation("budget", `${attemptId} of ${request.id} is one too many at ${percent} %: ${what}.`);
  }

  /** It was made before by its SDK, and takes as much for that with the first call that it takes anything for. */
  #spendsForItself({ ask }: Request, openings: readonly Opening[]): boolean {
    const isHedged = this.#config.models[ask.model]?.hedge.mode === "on";
    return ask.retryCount > 0 && openings.length === 1 && !isHedged;
  }

  /** Since when it may have been taken from the budget; `null`: perhaps it was not. */
  #takenSinceMs(request: Request, openings: readonly Opening[], opening: Opening): number | null {
    const before = openings.filter(({ target }) => target === opening.target);
    const last = before.at(-1);
    if (last === undefined) return this.#hedgedSinceMs(request, openings, opening.atMs);
    const isFirstTurn = before.length === 1 && last.credential !== opening.credential;
    if (isFirstTurn && wasRefused(request, last)) return null;
    return Math.max(last.atMs, ...request.calls.map(({ endedAtMs }) => endedAtMs ?? 0));
  }

  /** A call beside another that was not silent for long enough to be left. */
  #hedgedSinceMs(request: Request, openings: readonly Opening[], nowMs: number): number | null {
    const running = request.calls.filter(({ isOver, isFinished }) => !isOver && !isFinished);
    const [beside] = running;
    const sentAtMs = beside?.sentAtMs ?? null;
    if (beside === undefined || running.length > 1 || sentAtMs === null || beside.words > 0) return null;
    const opening = openings.findLast(({ target }) => target === beside.facts.target);
    if (opening === undefined) return null;
    const silentMs = nowMs - sentAtMs;
    return silentMs < this.#switchMsMin(request, opening) ? sentAtMs : null;
  }

  /** The least that a target may be silent before it is left. */
  #switchMsMin({ ask, startedMs }: Request, { target, atMs }: Opening): number {
    const { switchMs } = timeoutsOf(this.#config, ask.model, target);
    if (switchMs === 0) return Infinity;
    const totalMs = Math.min(totalMsOf(this.#config, ask.model).least, ask.deadline?.ms ?? Infinity);
    const leftMs = startedMs + totalMs - atMs - RESERVE_MS;
    return Math.min(switchMs, leftMs / 2) - 2;
  }
}

/** The provider would not have the credential: another one is tried at once the first time. */
function wasRefused({ calls }: Request, { target, credential }: Opening): boolean {
  return calls.some(({ facts, status }) => {
    return facts.target === target && facts.key === credential && status !== null && credentialStatuses.has(status);
  });
}

/** Those that were certainly taken before it and count with it. */
function countWithin(all: readonly Taken[], { fromMs, untilMs }: Taken): number {
  return all.filter((other) => other.untilMs <= fromMs && other.fromMs > untilMs - WINDOW_MS).length;
}
