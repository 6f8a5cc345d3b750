/**
 * Whether a call may be made: asked at the moment at which it leaves. What reliability allows is said here once more, by
 * what the world knows of the calls that the request has made before.
 */
import type { Config } from "../../../src/config/config.ts";
import type { Request } from "../callers/request.ts";
import type { SimulatedCall } from "../providers/call.ts";
import { comparisonDemand, objectionTo } from "./eligibility.ts";
import { retriesOf } from "./terms.ts";
import { Violation } from "./violation.ts";

/** What was known when a call left. */
export interface Departure {
  readonly call: SimulatedCall;
  readonly request: Request;
  readonly config: Config;
  /** Somebody else waits for the same answer. */
  readonly isShared: boolean;
  /** All that are not over, this one included. */
  readonly running: ReadonlySet<SimulatedCall>;
}

/** One beside another that is slow. */
const AT_A_TIME = 2;

/** Refusals of the request itself: they are the same everywhere. */
const finalStatuses: ReadonlySet<number> = new Set([400, 413, 422]);
/** The target lacks the model: others may have it. */
const UNKNOWN_MODEL = 404;
/** Refusals of a credential: another one may do. */
export const credentialStatuses: ReadonlySet<number> = new Set([401, 403, 429]);
/** A target that was silent is not called again for the same request. */
const silent: ReadonlySet<string> = new Set([
  "is a black hole",
  "falls silent",
  "falls silent after its head",
  "does not connect",
]);

/** Throws a `Violation`. */
export function judgeDeparture(departure: Departure): void {
  judgeTerms(departure);
  judgeTurn(departure);
  judgeNeed(departure);
  judgeCount(departure);
  judgeRoom(departure);
  for (const before of departure.request.calls) if (before !== departure.call) judgeRepetition(departure, before);
}

/** A call by which the words of a request are compared with others'. Throws a `Violation`. */
export function judgeComparison(departure: Departure): void {
  const { call, request, config } = departure;
  const { attemptId, target } = call.facts;
  const mode = config.models[request.ask.model]?.cache.mode;
  if (mode !== "semantic") throw new Violation("shared", `${attemptId} compares ${request.id} though nobody asked to.`);
  const objection = objectionTo(config, comparisonDemand(config, request.ask), target);
  if (objection !== null)
    throw new Violation("terms", `${attemptId} of ${request.id} goes to ${target}: ${objection}.`);
  judgeRoom(departure);
}

function judgeTerms({ call, request, config }: Departure): void {
  const { attemptId, target } = call.facts;
  const objection = objectionTo(config, request.ask, target);
  if (objection !== null)
    throw new Violation("terms", `${attemptId} of ${request.id} goes to ${target}: ${objection}.`);
}

/** Targets come before fallbacks. */
function judgeTurn({ call, request, config }: Departure): void {
  const alias = config.models[request.ask.model];
  const { attemptId, target } = call.facts;
  if (alias === undefined || alias.targets.some(({ model }) => model === target)) return;
  const { passedOver } = request.exchange;
  const skipped = alias.targets.find(({ model }) => {
    const wasCalled = request.calls.some(({ facts }) => facts.target === model);
    const isKnown = wasCalled || passedOver.some((passed) => passed.target === model);
    return !isKnown && objectionTo(config, request.ask, model) === null;
  });
  if (skipped === undefined) return;
  throw new Violation("turn", `${attemptId} of ${request.id} goes to the fallback ${target} before ${skipped.model}.`);
}

function judgeNeed({ call, request, config, isShared }: Departure): void {
  const { attemptId } = call.facts;
  const { inbox, ask } = request;
  if ((inbox.hasLeft && !isShared) || inbox.endedBy !== null || request.overAtMs !== null) {
    throw new Violation("cancelled", `${attemptId} leaves, and nobody waits for its answer.`);
  }
  if (inbox.hasShown && config.models[ask.model]?.commit.whenBroken !== "continue") {
    throw new Violation("retry", `${attemptId} leaves although ${request.id} has shown output.`);
  }
}

function judgeCount({ request, config }: Departure): void {
  const { attemptsMax } = retriesOf(request, config);
  if (request.calls.length > attemptsMax) {
    throw new Violation("attempts", `${request.id} makes ${request.calls.length} calls of at most ${attemptsMax}.`);
  }
  const beside = request.calls.filter(({ isOver, isFinished }) => !isOver && !isFinished);
  if (beside.length > AT_A_TIME) {
    throw new Violation("attempts", `${request.id} makes ${beside.length} calls at a time.`);
  }
}

/** A model with a bound of its own does not count in its provider's. */
function judgeRoom({ call, config, running }: Departure): void {
  const { provider, model, target } = call.facts;
  const { concurrency = 0, modelConcurrency = {} } = config.providers[provider] ?? {};
  const own = modelConcurrency[model];
  const most = own ?? concurrency;
  let others = 0;
  for (const { facts, isFinished } of running) {
    const counts = own === undefined ? modelConcurrency[facts.model] === undefined : facts.model === model;
    if (facts.provider === provider && counts && !isFinished) others++;
  }
  if (most === 0 || others <= most) return;
  throw new Violation("bounded", `${others} calls run at a time where ${target} is called, instead of ${most}.`);
}

/** `before`: a call of the same request that was made earlier. */
function judgeRepetition({ call, request }: Departure, before: SimulatedCall): void {
  const { status, isOver } = before;
  const repeats = (what: string): Violation =>
    new Violation(
      "retry",
      `${call.facts.attemptId} of ${request.id} follows ${before.facts.attemptId}, which ${what}.`,
    );
  if (isOver && status !== null && finalStatuses.has(status)) throw repeats(`was refused with ${status}`);
  if (call.facts.target !== before.facts.target) return;
  if (!isOver) throw repeats("still runs at the same target");
  if (status === UNKNOWN_MODEL) throw repeats("does not know the model");
  if (before.endedBy === "aborted" && silent.has(before.facts.behaviour)) throw repeats("was silent");
  if (before.facts.forbidsRetry) throw repeats("asked not to be called again");
  const isRefused = status !== null && credentialStatuses.has(status);
  if (isRefused && call.facts.key !== before.facts.key) return;
  if (isRefused && status !== 429) throw repeats("refused the same credential");
  const restMs = call.beganAtMs - (before.endedAtMs ?? 0);
  if (restMs < (before.facts.retryAfterMs ?? 0) - 1) {
    throw new Violation(
      "wait",
      `${call.facts.attemptId} leaves ${restMs} ms after ${before.facts.attemptId}, which asked for ${before.facts.retryAfterMs} ms.`,
    );
  }
}
