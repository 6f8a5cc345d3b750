/**
 * The canonical form: what one dialect is translated into on the way to another. Its items are modelled on the
 * Responses API (messages, reasoning, tool calls and tool results side by side in one ordered list), because it
 * is the only shape that holds reasoning state between tool calls. State that only its maker can read is kept
 * together with where it came from, so that it is never sent to another provider.
 *
 * Nothing is dropped in silence: what a decoder cannot place here it refuses; what an encoder cannot carry it
 * refuses or reports (see `Loss` in dialect.ts).
 */
import type { Usage } from "../kernel/usage.ts";

/** Provider-opaque state (signatures, encrypted reasoning). Returned unmodified to `origin`, to nobody else. */
export interface OpaqueState {
  /** The dialect that issued it, e.g. `anthropic-messages`. */
  readonly origin: string;
  /** What the value is in that dialect, e.g. `signature`, `redacted_thinking`. */
  readonly kind: string;
  readonly value: string;
}

export type Part =
  | { readonly type: "text"; readonly text: string; readonly cache?: CacheHint }
  | { readonly type: "refusal"; readonly text: string }
  | {
      readonly type: "image";
      readonly source: MediaSource;
      readonly detail: "auto" | "low" | "high" | null;
      readonly cache?: CacheHint;
    }
  | {
      readonly type: "document";
      readonly source: MediaSource;
      readonly name: string | null;
      readonly cache?: CacheHint;
    }
  | { readonly type: "audio"; readonly source: MediaSource };

export type MediaSource =
  | { readonly from: "url"; readonly url: string }
  | { readonly from: "base64"; readonly mediaType: string; readonly data: string }
  | {
      readonly from: "file";
      readonly fileId: string;
      /** The dialect whose provider the file was uploaded to: the id means nothing to any other, or something else. */
      readonly origin: string;
    };

/** A prompt-cache breakpoint after the part that carries it. */
export interface CacheHint {
  readonly ttl: "5m" | "1h";
}

export type Role = "system" | "developer" | "user" | "assistant";

export type Item =
  | { readonly type: "message"; readonly role: Role; readonly name: string | null; readonly parts: readonly Part[] }
  | { readonly type: "reasoning"; readonly text: string; readonly opaque: readonly OpaqueState[] }
  | {
      readonly type: "tool-call";
      readonly callId: string;
      readonly name: string;
      /** JSON text exactly as the model wrote it; may be cut short where the answer was. */
      readonly arguments: string;
    }
  | {
      readonly type: "tool-result";
      readonly callId: string;
      readonly parts: readonly Part[];
      readonly isError: boolean;
    };

export interface Tool {
  readonly name: string;
  readonly description: string | null;
  /** JSON Schema of the arguments; `null` where the caller gave none. */
  readonly parameters: Readonly<Record<string, unknown>> | null;
  readonly strict: boolean | null;
}

export type ToolChoice =
  | { readonly mode: "auto" | "none" | "required" }
  | { readonly mode: "named"; readonly name: string }
  | { readonly mode: "allowed"; readonly required: boolean; readonly names: readonly string[] };

export type OutputFormat =
  | { readonly type: "text" }
  | { readonly type: "json-object" }
  | {
      readonly type: "json-schema";
      readonly name: string;
      readonly description: string | null;
      readonly schema: Readonly<Record<string, unknown>>;
      readonly strict: boolean | null;
    };

export type ReasoningEffort = "none" | "minimal" | "low" | "medium" | "high" | "xhigh" | "max";

/** One generation request. `null` means that the caller did not say. */
export interface CanonicalRequest {
  readonly model: string;
  readonly stream: boolean;
  readonly items: readonly Item[];
  readonly tools: readonly Tool[];
  readonly toolChoice: ToolChoice | null;
  readonly parallelToolCalls: boolean | null;
  readonly maxOutputTokens: number | null;
  readonly temperature: number | null;
  readonly topP: number | null;
  readonly topK: number | null;
  readonly stop: readonly string[];
  readonly outputFormat: OutputFormat | null;
  /** Neither an effort nor a budget: the model is to think as much as it finds right. */
  readonly reasoning: { readonly effort: ReasoningEffort | null; readonly budgetTokens: number | null } | null;
  /** A stable identifier of the end user, for the provider's abuse monitoring. */
  readonly endUser: string | null;
  /** In OpenAI's words: `auto`, `default` (the standard one), `flex`, … */
  readonly serviceTier: string | null;
  /** Fields that have no place above, by their name in the caller's dialect: each is refused or reported by the encoder. */
  readonly foreign: Readonly<Record<string, unknown>>;
}

export type FinishReason =
  | "stop"
  | "length"
  | "tool-calls"
  | "content-filter"
  | "refusal"
  | "stop-sequence"
  | "pause"
  | "context-length"
  | "other";

export interface Finish {
  readonly reason: FinishReason;
  /** The provider's own word for it. */
  readonly native: string;
  /** The stop sequence that matched, where the provider says so. */
  readonly stopSequence: string | null;
}

/**
 * What a stream says, in order. `index` numbers output items from 0 without gaps; between `item-start` and
 * `item-end` of an item only deltas of that index belong to it, but items may interleave.
 * `finish` comes at most once and only if the provider said so; `usage` events are cumulative, the last one rules.
 */
export type CanonicalEvent =
  | { readonly type: "start"; readonly id: string; readonly model: string; readonly createdMs: number | null }
  | { readonly type: "item-start"; readonly index: number; readonly item: OutputItemHead }
  | { readonly type: "text-delta"; readonly index: number; readonly text: string }
  | { readonly type: "refusal-delta"; readonly index: number; readonly text: string }
  | { readonly type: "reasoning-delta"; readonly index: number; readonly text: string }
  | { readonly type: "reasoning-opaque"; readonly index: number; readonly opaque: OpaqueState }
  | { readonly type: "arguments-delta"; readonly index: number; readonly text: string }
  | { readonly type: "item-end"; readonly index: number }
  | { readonly type: "usage"; readonly usage: Usage }
  | { readonly type: "finish"; readonly finish: Finish };

export type OutputItemHead =
  | { readonly kind: "message" }
  | { readonly kind: "reasoning" }
  | { readonly kind: "tool-call"; readonly callId: string; readonly name: string };

/** A whole answer: the same content as its stream, folded. */
export interface CanonicalResponse {
  readonly id: string;
  readonly model: string;
  readonly createdMs: number | null;
  /** Assistant messages, reasoning and tool calls, in the order the model made them. */
  readonly items: readonly Item[];
  readonly finish: Finish;
  readonly usage: Usage | null;
}
