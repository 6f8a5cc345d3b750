/**
 * A dialect is the wire protocol of one API family. It has up to two roles: `inbound`, spoken with callers, and
 * `outbound`, spoken with providers. A provider's endpoint is an address that speaks an outbound dialect.
 *
 * Same dialect on both sides: pass-through. The caller's bytes go on with only `splice`d fields changed, the
 * provider's bytes come back as they are, and `StreamReader` or `readResponse` only look at them.
 * Different dialects: the two `translation`s, caller's → canonical → provider's, and back event by event.
 *
 * Adding a dialect adds a folder and one line in registry.ts; nothing here changes.
 */
import type { HeadgateError } from "../kernel/errors.ts";
import type { Usage } from "../kernel/usage.ts";
import type { JsonDocument } from "../kernel/json-document.ts";
import type { CanonicalEvent, CanonicalRequest, CanonicalResponse, FinishReason } from "./canonical.ts";
import type { SseEvent } from "./sse.ts";

export type DialectName = "openai-chat" | "openai-embeddings" | "anthropic-messages";

/** What is asked for, whatever the wire shape: targets are matched to it. */
export type Operation = "chat" | "embeddings";

export interface Dialect {
  readonly name: DialectName;
  readonly operation: Operation;
  readonly inbound?: InboundCodec;
  readonly outbound?: OutboundCodec;
}

/** What a request needs of a target, derived from the request and not from configuration. */
export interface Needs {
  readonly tools: boolean;
  /** A say in whether the model may call several tools at once. */
  readonly parallelTools: boolean;
  readonly images: boolean;
  readonly audio: boolean;
  readonly documents: boolean;
  readonly jsonSchema: boolean;
  /** That the model thinks before it answers. */
  readonly reasoning: boolean;
  readonly logprobs: boolean;
  /** Several answers to one request. */
  readonly choices: boolean;
}

/** The narrow view of a caller's request that admission and planning read; the rest stays bytes. */
export interface RequestView {
  readonly document: JsonDocument;
  readonly model: string;
  readonly stream: boolean;
  readonly endUser: string | null;
  /** The caller's own bound on output, `null` if none was given. */
  readonly maxOutputTokens: number | null;
  /** Below this bound on output the request makes no sense: it asks for so much thinking. Default: none. */
  readonly leastOutputTokens?: number;
  /** How many answers one call produces (`n`): multiplies the bound on output. */
  readonly choices: number;
  /** Whether the caller asked for usage in the stream; where not, an injected usage-only event is withheld. */
  readonly wantsStreamUsage: boolean;
  /** The service tier asked for, as the provider names it (`flex`, `priority`); `null` for its default. */
  readonly serviceTier: string | null;
  readonly needs: Needs;
}

/** The wire facts of a provider that change how a dialect is written to it or read from it. */
export interface Quirks {
  /** openai-chat: how usage in a stream is obtained. Default `stream_options`; any other: the provider refuses that field. */
  readonly streamUsage?: "stream_options" | "always" | "never";
  /** openai-chat: whether `completion_tokens` includes reasoning tokens. Default true (OpenAI's convention). */
  readonly reasoningInsideOutput?: boolean;
  /** openai-chat: whether `total_tokens` includes reasoning tokens. Default true (OpenAI's convention). */
  readonly reasoningInsideTotal?: boolean;
  /** openai-chat: whether `prompt_tokens` includes cached tokens. Default true (OpenAI's convention). */
  readonly cachedInsideInput?: boolean;
  /** openai-chat: the field that bounds output. Default `max_completion_tokens` (OpenAI's; `max_tokens` is older). */
  readonly outputBoundField?: "max_completion_tokens" | "max_tokens";
  /**
   * openai-chat: the field of an assistant's message in which the provider takes earlier reasoning back. Default
   * `none`: it is left out, and reported.
   */
  readonly reasoningHistory?: "none" | "reasoning_content" | "reasoning_details";
}

/** What an encoder needs to know of the target. */
export interface TargetFacts {
  /** The provider's own name of the model. */
  readonly model: string;
  /** The model's maximum of output tokens, `null` if unknown. */
  readonly maxOutputTokens: number | null;
  readonly quirks: Quirks;
  /** What the model is known not to do. Default: nothing. */
  readonly lacks?: readonly (keyof Needs)[];
  /** Whether the model is known to think before it answers though nobody asks for it. Default: it is not. */
  readonly thinksUnasked?: boolean;
  /** Replaces the caller's bound on output tokens when the bytes are spliced. Default: the caller's stands. */
  readonly outputBound?: number;
}

/** A field that has no counterpart in the target's dialect and was left out, named in `x-headgate-dropped`. */
export type Loss = string;

export const noLosses: readonly Loss[] = [];

export interface EncodedRequest {
  readonly body: Uint8Array;
  readonly losses: readonly Loss[];
}

/** Where a rate stands: the most at once, what is left of it, and how long until it is full again. */
export interface ToldRate {
  readonly meter: "requests" | "tokens";
  readonly limit: bigint;
  readonly remaining: bigint;
  readonly resetMs: number;
}

export interface InboundCodec {
  /** Checks the fields that the gateway itself relies on. Throws `missing_field`, `invalid_value`, … naming the field. */
  view(document: JsonDocument): RequestView;
  /** The same of a request that asks only how long its prompt is, where the API has such requests. */
  viewPrompt?(document: JsonDocument): RequestView;
  /**
   * Names of request headers that are a part of what is asked for, each with a list as its value: providers of this
   * dialect get them, to others they cannot be translated. Default: none.
   */
  readonly passedHeaders?: readonly string[];
  /** The body of an error response (JSON). */
  encodeError(error: HeadgateError, requestId: string): Uint8Array;
  /** The bytes that tell a caller in mid-stream that the answer broke; never a terminal marker of success. */
  encodeStreamError(error: HeadgateError, requestId: string): Uint8Array;
  /** The API's own response header for the request's id, besides `x-request-id`. Default: none. */
  readonly requestIdHeader?: string;
  /** Says in the API's own response headers, alternating names and values, where a rate stands at `wallMs`. */
  pushRate(headers: string[], rate: ToldRate, wallMs: number): void;
  /** The bytes a complete stream ends with, for a provider that finished without saying so; empty if the dialect has none. */
  readonly streamEnd: Uint8Array;
  /** An event without a meaning, which keeps a silent stream's connection open; empty if the dialect has no streams. */
  readonly heartbeat: Uint8Array;
  /**
   * Every request has to bound its output, so that the bound need not be meant: a translation lowers it to what the model
   * writes at the most. Default: no.
   */
  readonly demandsOutputBound?: true;
  /**
   * Equal for prompts that begin alike, as far as providers' prompt caches care: the caller's own cache key, or the first
   * bytes of the prompt. `null`: there is nothing to tell by. Absent where the operation has no prompts.
   */
  promptStart?(view: RequestView): Uint8Array | null;
  /** Absent where the operation has no canonical form: then only targets that speak this dialect can serve. */
  readonly translation?: InboundTranslation;
}

/**
 * The caller's side of a translation. Only what is said is translated: a provider's pings and comments have no canonical
 * event, so that a caller sees nothing while the model is silent.
 */
export interface InboundTranslation {
  /** Reads everything. Throws naming the field. */
  decodeRequest(view: RequestView): CanonicalRequest;
  /** Whether the request says only what every dialect of the operation carries. `false`: a translation must show. */
  isPlain(view: RequestView): boolean;
  /**
   * `createdMs`: when the request began, for dialects that state a time and providers that do not. `count`: asked by
   * dialects whose answers always tell usage, where the provider reported none. Default: they tell zeros then.
   */
  encodeResponse(response: CanonicalResponse, view: RequestView, createdMs: number, count?: UsageCount): Uint8Array;
  /** `idStands`: the caller knows the answer's id as it is, so it is not made one of this dialect. Default: it is. */
  createStreamEncoder(view: RequestView, createdMs: number, idStands?: boolean): StreamEncoder;
}

export interface StreamEncoder {
  /** The wire bytes of one event; empty if the event has none. */
  encode(event: CanonicalEvent): string;
  /** The terminal bytes of a stream that finished. Called once, after `finish` was encoded. `count`: as above. */
  end(count?: UsageCount): string;
}

/** Of a call that is complete. */
export interface UsageCount {
  /** The gateway's own count of what it used, which is what it is charged where its provider reports nothing. */
  countUsage(): Usage;
}

export interface OutboundCodec {
  /** `false`: an answer is nothing generated, so its bytes are no measure of output. Default true. */
  readonly generates?: boolean;
  /** Path below the provider's base URL, e.g. `/chat/completions`. */
  path(model: string, stream: boolean): string;
  /**
   * Pass-through: the caller's bytes with the model name and documented fields replaced, and without what another dialect
   * gave the caller to keep, which counts as a loss.
   */
  splice(view: RequestView, target: TargetFacts): EncodedRequest;
  /**
   * Reads what accounting needs of a whole answer. Throws `upstream_malformed` when it is not an answer of this
   * dialect at all.
   */
  readResponse(json: unknown, quirks: Quirks): ResponseReading;
  /** `choices`: how many answers were asked for; a stream is not finished before each has a reason. */
  createStreamReader(quirks: Quirks, choices: number): StreamReader;
  /**
   * Classifies a refusal of the provider. `body` is at most a bounded part of it and may be anything, HTML included;
   * `wallMs` is the time now, for a `retry-after` that is a date.
   */
  readError(
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
    body: Uint8Array,
    wallMs: number,
  ): HeadgateError;
  /** Absent where the operation has no canonical form. */
  readonly translation?: OutboundTranslation;
}

/** The provider's side of a translation. */
export interface OutboundTranslation {
  /** Throws `unsupported_parameter` for what cannot be left out. */
  encodeRequest(request: CanonicalRequest, target: TargetFacts): EncodedRequest;
  decodeResponse(json: unknown, quirks: Quirks): CanonicalResponse;
  createStreamDecoder(quirks: Quirks): StreamDecoder;
  /**
   * Whether the model takes a final message of the assistant as the beginning of its answer and goes on from there.
   * Absent: none of the dialect is known to.
   */
  takesPrefill?(request: CanonicalRequest, target: TargetFacts): boolean;
}

/** What accounting, health and the record need of an answer. */
export interface ResponseReading {
  id: string | null;
  model: string | null;
  /** `null`: the provider has not reported any. */
  usage: Usage | null;
  /** What it reported has a count that is none (negative, a fraction, a text): `usage` is what can be read of the rest. */
  usageIsDoubtful: boolean;
  /** The service tier that the provider says it served, in its own words; `null`: it did not say. */
  serviceTier: string | null;
  finish: FinishReason | null;
  /** Bytes of generated text, reasoning and tool arguments, for metering where usage is missing. */
  outputBytes: number;
}

/**
 * Watches a stream without changing it.
 * `output`   carries something the caller was waiting for (text, reasoning, tool call)
 * `progress` belongs to the protocol, carries no output (role chunk, ping, block start)
 * `usage`    carries usage and nothing else: withheld when the caller did not ask for it
 * `finish`   the provider said why it stopped (it may carry output too)
 * `end`      the terminal marker
 * `error`    the provider reported an error in the stream: `failure` holds it
 * `invalid`  not an event of this dialect (not JSON, or not an object)
 */
export type StreamSignal = "output" | "progress" | "usage" | "finish" | "end" | "error" | "invalid";

/**
 * What of a stream may still come that counts.
 * `open`   anything, or nobody knows
 * `usage`  the provider has said why it stopped and what was used, and may say the latter again in an event of its own
 * `marker` nothing but the terminal marker
 */
export type StreamRest = "open" | "usage" | "marker";

export interface StreamReader {
  read(event: SseEvent): StreamSignal;
  /**
   * Cumulative; changes with every `read`. `finish` is set while every choice that began has its reason, and `null`
   * again when another one begins.
   */
  readonly reading: ResponseReading;
  readonly rest: StreamRest;
  /** The model is at work on something that it does not show: an event that carries nothing then says that it lives. */
  readonly isWorking: boolean;
  /** The parsed JSON of the last event read, for the decoder. */
  readonly json: unknown;
  /** Set after `error`. */
  readonly failure: HeadgateError | null;
}

export interface StreamDecoder {
  /** The canonical events that one parsed wire event says, in order. */
  decode(json: unknown): readonly CanonicalEvent[];
}
