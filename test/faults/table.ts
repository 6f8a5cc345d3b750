/**
 * The faults of a provider that the simulator injects, each with its outcome for a whole answer and for a stream. Every
 * row is tests for each dialect of callers and providers (course/one-target.test.ts, two-targets.test.ts), and a line of
 * docs/reference/faults.md.
 */
import type { FaultName } from "../../src/simulator/faults.ts";
import { answered, brokenOff, failed, type Outcome } from "./outcome.ts";

export type Upstream = "openai-chat" | "anthropic-messages";

export const upstreams: readonly Upstream[] = ["openai-chat", "anthropic-messages"];

/**
 * What may follow a call that ended so before the caller saw anything of it: a call of the same target or of another,
 * one of another target only, or `nothing`, because it would end in the same way.
 */
export type Next = "again" | "elsewhere" | "nothing";

export interface FaultCase {
  readonly fault: FaultName;
  /** Said of the provider: "closes the connection between two events". */
  readonly title: string;
  /** Directives for the simulator. */
  readonly script: string;
  /** Where only one of the upstream dialects behaves so. */
  readonly upstream?: Upstream;
  /** Absent: the same as the other one. */
  readonly whole: Outcome;
  readonly stream: Outcome;
  readonly next: Next;
  /** The answer is the same text as without the fault. Default true for answers. */
  readonly otherText?: boolean;
}

type Row = Omit<FaultCase, "whole" | "stream" | "next">;

/** The same for a whole answer and for a stream. */
function both(
  outcome: Outcome,
  next: Next,
  fault: FaultName,
  title: string,
  script: string,
  more: Partial<Row> = {},
): FaultCase {
  return { fault, title, script, whole: outcome, stream: outcome, next, ...more };
}

const rejected = (status: number): Outcome => failed(status, "upstream_rejected");
const told = (status: number, code: string): Outcome => failed(status, "upstream_rejected", { told: code });
const credential = failed(502, "upstream_credentials");
const notReceived = failed(502, "upstream_failed");
/** After a server error the provider may have worked. */
const upstreamFailed = failed(502, "upstream_failed", { charged: "nothing yet" });
const overloaded = (retryAfter: number | null): Outcome =>
  failed(529, "upstream_overloaded", { retryAfter, charged: "nothing yet" });
const silent = failed(504, "first_token_timeout", { ending: "timeout", charged: "input estimate" });
/** A whole answer has no first token: only the total timer ends the wait. */
const silentWhole = failed(504, "total_timeout", { ending: "timeout", charged: "input estimate" });
const truncated = failed(502, "stream_truncated", { ending: "truncated", charged: "input estimate" });
/** Broken off in the middle of the JSON: what had come of it is counted. */
const truncatedWhole = failed(502, "stream_truncated", { ending: "truncated", charged: "estimate" });
/** Once it is being sent it is there, so that it may be silent no longer than a stream. */
const silentInWhole = failed(504, "idle_timeout", { ending: "timeout", charged: "estimate" });
const malformed = failed(502, "upstream_malformed", { charged: "input estimate" });
const tooLarge = failed(502, "upstream_too_large", { charged: "input estimate" });
const cut = brokenOff("stream_truncated", "truncated");
const holed = brokenOff("upstream_malformed");

const openai = { upstream: "openai-chat" } as const;
const anthropic = { upstream: "anthropic-messages" } as const;

/** A moment that is told to the second may be nearer by one. */
const inAMinute = { isMoment: true } as const;

/** OpenAI's refusal has a code of its own, Anthropic's has none. */
function limits(
  next: Next,
  title: string,
  script: string,
  retryAfter: number | null,
  more: { readonly isMoment?: true } = {},
): readonly FaultCase[] {
  const toldBy = (told: string): Outcome => failed(429, "upstream_rate_limited", { retryAfter, told, ...more });
  return [
    both(toldBy("rate_limit_exceeded"), next, "status", title, script, openai),
    both(toldBy("upstream_rate_limited"), next, "status", title, script, anthropic),
  ];
}

const refusals: readonly FaultCase[] = [
  both(rejected(400), "nothing", "status", "refuses the request with 400", "status=400"),
  both(credential, "elsewhere", "status", "refuses the gateway's credential with 401", "status=401"),
  both(credential, "elsewhere", "status", "wants an unpaid bill paid with 402", "status=402"),
  both(credential, "elsewhere", "status", "refuses the gateway's credential with 403", "status=403"),
  both(told(404, "model_not_found"), "elsewhere", "status", "does not know the model (404)", "status=404", openai),
  both(rejected(404), "elsewhere", "status", "does not know the model (404)", "status=404", anthropic),
  both(notReceived, "again", "status", "answers 408", "status=408"),
  both(rejected(413), "nothing", "status", "finds the request too large (413)", "status=413"),
  both(rejected(422), "nothing", "status", "cannot process the request (422)", "status=422"),
  ...limits("again", "limits the rate for a second", "status=429", 1),
  ...limits("again", "limits the rate, and does not say for how long", "status=429,retry-after=none", null),
  ...limits("elsewhere", "limits the rate for a year", "status=429,retry-after=far", 31_536_000),
  ...limits("elsewhere", "limits the rate until a date in a minute", "status=429,retry-after=date:60", 60, inAMinute),
  ...limits(
    "elsewhere",
    "limits the rate, and says only when it is reset, in a minute",
    "status=429,retry-after=reset:60",
    60,
    inAMinute,
  ),
  both(upstreamFailed, "again", "status", "fails with 500", "status=500"),
  both(upstreamFailed, "again", "status", "fails with 502", "status=502"),
  both(overloaded(60), "elsewhere", "status", "is unavailable (503) for a minute", "status=503,retry-after=60"),
  both(upstreamFailed, "again", "status", "fails with 504", "status=504"),
  both(overloaded(null), "again", "status", "is overloaded (529)", "status=529"),
  both(credential, "elsewhere", "bad-key", "refuses the only key it is given", "fault=bad-key:test"),
  both(
    told(400, "context_length_exceeded"),
    "nothing",
    "context-length",
    "finds the prompt too long",
    "fault=context-length",
  ),
  both(
    told(400, "content_filter"),
    "nothing",
    "content-filter",
    "blocks the prompt by its policy",
    "fault=content-filter",
  ),
  both(overloaded(null), "again", "flapping", "is unavailable each time (503)", "fault=flapping:1"),
];

const beforeTheAnswer: readonly FaultCase[] = [
  both(malformed, "again", "html-instead-of-json", "answers 200 with a web page", "fault=html-instead-of-json"),
  both(
    failed(502, "upstream_unreachable", { charged: "nothing yet" }),
    "again",
    "reset-before-response",
    "resets the connection before it answers",
    "fault=reset-before-response",
  ),
  {
    fault: "black-hole",
    title: "never answers",
    script: "fault=black-hole",
    next: "elsewhere",
    whole: silentWhole,
    stream: silent,
  },
  {
    fault: "slow-headers",
    title: "holds its response head back for too long",
    script: "fault=slow-headers:60000",
    next: "elsewhere",
    whole: silentWhole,
    stream: silent,
  },
  {
    fault: "headers-then-silence",
    title: "sends its response head and then nothing",
    script: "fault=headers-then-silence",
    next: "elsewhere",
    whole: silentWhole,
    stream: silent,
  },
];

const inTheAnswer: readonly FaultCase[] = [
  {
    fault: "one-token-then-silence",
    title: "sends one token and then nothing",
    script: "fault=one-token-then-silence",
    next: "elsewhere",
    whole: silentInWhole,
    stream: brokenOff("idle_timeout", "timeout"),
  },
  both(
    truncated,
    "again",
    "reset-after-headers",
    "resets the connection after its response head",
    "fault=reset-after-headers",
  ),
  {
    fault: "reset-after-headers",
    title: "resets the connection after three tokens",
    script: "fault=reset-after-headers@3",
    next: "again",
    whole: truncated,
    stream: cut,
  },
  {
    fault: "cut-mid-token",
    title: "closes the connection in the middle of an event",
    script: "fault=cut-mid-token",
    next: "again",
    whole: truncatedWhole,
    stream: cut,
  },
  {
    fault: "cut-between-events",
    title: "closes the connection between two events",
    script: "fault=cut-between-events",
    next: "again",
    whole: truncatedWhole,
    stream: cut,
  },
  {
    ...openai,
    fault: "no-finish",
    title: "ends without saying why it stopped",
    script: "fault=no-finish",
    next: "again",
    whole: truncatedWhole,
    stream: cut,
  },
  {
    ...anthropic,
    fault: "no-finish",
    title: "ends without saying why it stopped",
    script: "fault=no-finish",
    next: "again",
    whole: malformed,
    stream: cut,
  },
  {
    ...openai,
    fault: "error-event-after-200",
    title: "reports an error in an answer that began with 200",
    script: "fault=error-event-after-200",
    next: "again",
    whole: upstreamFailed,
    stream: brokenOff("upstream_failed"),
  },
  {
    ...anthropic,
    fault: "error-event-after-200",
    title: "reports an error in an answer that began with 200",
    script: "fault=error-event-after-200",
    next: "again",
    whole: upstreamFailed,
    stream: brokenOff("upstream_overloaded"),
  },
  {
    fault: "invalid-json",
    title: "sends something that is not JSON",
    script: "fault=invalid-json",
    next: "again",
    whole: malformed,
    stream: holed,
  },
  {
    fault: "invalid-utf8",
    title: "sends something that is not UTF-8",
    script: "fault=invalid-utf8",
    next: "again",
    whole: malformed,
    stream: holed,
  },
  {
    fault: "huge-event",
    title: "sends more in one event than `limits.streamEventBytes`",
    script: "fault=huge-event:2",
    next: "elsewhere",
    whole: tooLarge,
    stream: holed,
  },
  both(tooLarge, "elsewhere", "gzip-bomb", "sends a gzip body that unpacks to a gigabyte", "fault=gzip-bomb:1024"),
  both(tooLarge, "elsewhere", "huge-body", "sends a body of a gigabyte", "fault=huge-body:1024"),
];

/** Faults that a caller does not notice. */
const endured: readonly FaultCase[] = [
  both(answered(), "nothing", "no-terminal-marker", "finishes without a terminal marker", "fault=no-terminal-marker"),
  both(answered("estimate"), "nothing", "no-usage", "reports no usage", "fault=no-usage"),
  both(answered(), "nothing", "wrong-content-type", "gives the wrong content type", "fault=wrong-content-type"),
  both(answered(), "nothing", "gzip", "compresses its answer unasked", "fault=gzip"),
  both(answered(), "nothing", "slow-drip", "sends a few bytes at a time", "fault=slow-drip:40"),
  both(answered(), "nothing", "bom", "begins with a byte order mark", "fault=bom"),
  both(answered(), "nothing", "crlf", "ends its lines in CR LF", "fault=crlf"),
  both(answered(), "nothing", "split-utf8", "sends characters in pieces", "fault=split-utf8", { otherText: true }),
  both(answered(), "nothing", "many-events-per-packet", "sends many events at once", "fault=many-events-per-packet"),
  both(answered(), "nothing", "comments", "sends a comment before every event", "fault=comments"),
];

export const upstreamFaults: readonly FaultCase[] = [...refusals, ...beforeTheAnswer, ...inTheAnswer, ...endured];
