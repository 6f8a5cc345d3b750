import type { CacheConfig, HealthConfig, IdempotencyConfig, RetriesConfig } from "../config.ts";
import type { Options } from "./option.ts";
import { choice, nullable, numeric } from "./scalars.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
const GIB = 1024 ** 3;
const MIB = 1024 ** 2;

/** The same four for all models and for one alias; the alias's count where they are set. */
export const retriesOptions: Options<RetriesConfig> = {
  attemptsMax: numeric("integer", {
    doc: "Most calls of providers that one request may cause: the first, calls made again after a failure that passes, calls of other targets, and hedges.",
    default: 4,
    min: 1,
    max: 20,
  }),
  backoffMs: numeric("duration", {
    doc: "Before the same target is called again, a wait is drawn between 0 and this; it doubles with each call. A provider's `retry-after` is waited for at the least.",
    default: 500,
    min: 0,
    max: HOUR_MS,
    zero: "at once",
  }),
  backoffMaxMs: numeric("duration", {
    doc: "Longest wait that is drawn.",
    default: 8000,
    min: 0,
    max: HOUR_MS,
    zero: "at once",
  }),
  budgetPercent: numeric("number", {
    doc: "Calls made again and hedges that a target may get, relative to the requests that it got of late; ten in ten seconds are always allowed. So an incident is not made worse by retries.",
    default: 20,
    min: 0,
    max: 100,
    zero: "none is made again",
  }),
};

export const healthOptions: Options<HealthConfig> = {
  failuresInRow: numeric("integer", {
    doc: "A target is left to those who have no other after so many failed calls in a row, and left alone by everybody when it is down.",
    default: 5,
    min: 0,
    max: 10_000,
    zero: "however many fail in a row",
  }),
  failurePercent: numeric("number", {
    doc: "A target is left alone when at least this share of its calls within `windowMs` failed, of at least 20.",
    default: 50,
    min: 0,
    max: 100,
    zero: "whatever share fails",
  }),
  windowMs: numeric("duration", {
    doc: "How far back calls count for `failurePercent`.",
    default: 30_000,
    min: 1000,
    max: HOUR_MS,
  }),
  openMs: numeric("duration", {
    doc: "How long a target is left alone before it is probed. Doubles with each probe that fails as long as nothing answers.",
    default: 5000,
    min: 100,
    max: HOUR_MS,
  }),
  openMaxMs: numeric("duration", {
    doc: "Longest time between probes.",
    default: 60_000,
    min: 100,
    max: DAY_MS,
  }),
  probes: numeric("integer", {
    doc: "Calls at the same time to a target that is being probed; the others go to other targets.",
    default: 1,
    min: 1,
    max: 1000,
  }),
  adaptiveConcurrency: choice(["on", "off"], {
    doc: "Whether calls at the same time are bounded by how a target's latency answers to them and by its 429s: beneath `concurrency` or `modelConcurrency`, and for each model of a provider that has neither. Requests beyond wait by the rules of `queue`. With `off`, only what is configured bounds them.",
    default: "off",
  }),
};

export const idempotencyOptions: Options<IdempotencyConfig> = {
  retentionMs: numeric("duration", {
    doc: "How long the answer of a request with an `Idempotency-Key` is kept and given again to the same request.",
    default: DAY_MS,
    min: 0,
    max: 30 * DAY_MS,
    zero: "such keys are not heeded",
  }),
  answerBytes: numeric("size", {
    doc: "Largest answer that is kept under an `Idempotency-Key`. Of a larger one it is only kept that it was given.",
    default: 8 * MIB,
    min: 0,
    max: GIB,
    zero: "answers are not kept, only that they were given",
  }),
};

export const cacheOptions: Options<CacheConfig> = {
  sizeBytes: numeric("size", {
    doc: "Most bytes of cached answers; the ones unused longest are dropped first.",
    default: 256 * MIB,
    min: 0,
    max: 1024 * GIB,
    zero: "no answer is cached",
  }),
  answerBytes: numeric("size", {
    doc: "Largest answer that is cached.",
    default: 1 * MIB,
    min: 0,
    max: GIB,
    zero: "no answer is cached",
  }),
  embeddings: nullable("text", {
    doc: "Model that turns messages into vectors for aliases with `mode: semantic`: `provider/model`, or an alias. Each such call is charged to the tenant whose request it is for.",
    absent: "no alias can have that mode",
  }),
};
