import type { BudgetsConfig, LimitsConfig, TimeoutsConfig } from "../config.ts";
import type { Options } from "./option.ts";
import { numeric } from "./scalars.ts";

const DAY_MS = 86_400_000;
const GIB = 1024 ** 3;
const MIB = 1024 ** 2;

export const limitsOptions: Options<LimitsConfig> = {
  bodyBytes: numeric("size", {
    doc: "Largest request body; a larger one is refused with 413 while it arrives.",
    default: 32 * MIB,
    min: 1024,
    max: GIB,
  }),
  bufferedBytes: numeric("size", {
    doc: "Most bytes of request bodies in memory, of all open requests together; above it requests are refused with 503 and `retry-after`. A body that is alone is bounded by `bodyBytes` only.",
    default: 512 * MIB,
    min: 1024,
    max: 1024 * GIB,
  }),
  responseBytes: numeric("size", {
    doc: "Largest whole (non-streaming) answer of a provider.",
    default: 64 * MIB,
    min: 1024,
    max: GIB,
  }),
  heldBytes: numeric("size", {
    doc: "Most bytes of answers in memory, of all open requests together: whole answers, streams that are held back until their commit point, what shared answers keep for those who join them, what is kept of streams to continue them, and answers under an `Idempotency-Key` that the store has not taken yet. An answer that would pass it fails with 503 `overloaded` (a `window` is committed early, a shared answer takes nobody more, a stream is not continued, a repetition gets 409 `idempotency_answer_lost`); the others go on. The first 16 KiB of each are not counted, and one that is alone is bounded by `responseBytes` only.",
    default: 512 * MIB,
    min: 1024,
    max: 1024 * GIB,
  }),
  headerBytes: numeric("size", {
    doc: "Largest head of a request, all headers together.",
    default: 32 * 1024,
    min: 2048,
    max: MIB,
    restart: true,
  }),
  headerCount: numeric("integer", {
    doc: "Most headers of a request.",
    default: 128,
    min: 16,
    max: 2000,
  }),
  jsonDepth: numeric("integer", {
    doc: "How deep arrays and objects of a request body may nest.",
    default: 128,
    min: 8,
    max: 1000,
  }),
  connections: numeric("integer", {
    doc: "Most open connections of callers, idle ones included; further ones are closed. A connection has one request at a time, so keep it above `concurrentRequests`.",
    default: 10_000,
    min: 1,
    max: 1_000_000,
    restart: true,
  }),
  concurrentRequests: numeric("integer", {
    doc: "Most requests in flight, those that wait for a provider included; above it requests are refused with 503 and `retry-after`. Those of priority `batch` are refused from 80 % of it on.",
    default: 2000,
    min: 1,
    max: 1_000_000,
  }),
  streamEventBytes: numeric("size", {
    doc: "Largest single event of a provider's stream; a larger one breaks the stream.",
    default: 4 * MIB,
    min: 1024,
    max: 256 * MIB,
  }),
  streamBufferBytes: numeric("size", {
    doc: "What may wait for a slow reader of a stream before its provider is paused.",
    default: 256 * 1024,
    min: 1024,
    max: 256 * MIB,
    restart: true,
  }),
  connectionsPerProvider: numeric("integer", {
    doc: "Most open connections to the address of a provider: each call needs one. Where it is lower than `concurrentRequests`, requests wait in turn for one, as at a `concurrency`; a call that finds none all the same goes to another target or is refused with 503 `overloaded`. It is a bound for the sake of this machine: keep it above `concurrentRequests`, and above the `concurrency` of every provider, which is the bound on calls that requests wait at in turn.",
    default: 2000,
    min: 1,
    max: 100_000,
    restart: true,
  }),
};

export const budgetsOptions: Options<BudgetsConfig> = {
  outputSliceTokens: numeric("integer", {
    doc: "Tokens of output that a stream holds at a time under allowances of policy `expected`: at the most one such slice for each open stream, and what two reads of its connection bring, can be spent beyond a limit.",
    default: 2048,
    min: 64,
    max: 1_000_000,
  }),
  leaseMs: numeric("duration", {
    doc: "How long a gateway process may be out of touch with the store and still admit requests from what it was granted; after that the rest of its grants is in suspense until its journal has explained it.",
    default: 30_000,
    min: 2000,
    max: DAY_MS,
    restart: true,
  }),
  recallWaitMs: numeric("duration", {
    doc: "How long a request waits for what other gateway processes hold idle of an allowance before it is refused.",
    default: 1000,
    min: 0,
    max: 60_000,
    zero: "refused at once",
    restart: true,
  }),
};

/** The same six for all providers, for one provider and for one alias; the nearest one that is set counts. */
export const timeoutsOptions: Options<TimeoutsConfig> = {
  connectMs: numeric("duration", {
    doc: "How long dialling a provider and TLS may take.",
    default: 5000,
    min: 1,
    max: DAY_MS,
  }),
  firstTokenMs: numeric("duration", {
    doc: "How long a provider may take from a streaming request to its first output. Reasoning models may think for minutes.",
    default: 0,
    min: 0,
    max: DAY_MS,
    zero: "only the total counts",
  }),
  idleMs: numeric("duration", {
    doc: "How long a provider may fall silent in the middle of an answer: between two events of a stream that carry something (keep-alive comments, pings and empty events do not count), and within a whole answer once its first byte has come.",
    default: 60_000,
    min: 1,
    max: DAY_MS,
  }),
  totalMs: numeric("duration", {
    doc: "How long the whole answer may take. A caller's own deadline is kept when it is shorter.",
    default: 600_000,
    min: 1,
    max: DAY_MS,
  }),
  switchMs: numeric("duration", {
    doc: "How long to wait for the first output before another target is tried, where the model has one that can serve the request. A target whose answers usually begin later is given twice its usual time, and a whole answer the time to be written.",
    default: 8000,
    min: 0,
    max: DAY_MS,
    zero: "a silent target is waited for as long as the other timeouts allow",
  }),
  endingMs: numeric("duration", {
    doc: "How long to wait, after a provider said why it stopped, for what was used, before its stream is taken as complete. A stream whose usage is known is complete at once.",
    default: 2000,
    min: 0,
    max: DAY_MS,
    zero: "taken as complete at once, which can lose a usage report that comes last",
  }),
};
