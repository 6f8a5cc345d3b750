/** What a caller reads out of one event of a stream, in either dialect of chats. */
import type { DialectName } from "../../../src/dialects/dialect.ts";

export interface SeenEvent {
  /** Of what kind it is, where the dialect says so. */
  readonly type: string;
  readonly text: string;
  /** Why the answer ended, as OpenAI says it; `null`: the event does not say. */
  readonly finish: string | null;
  readonly isMarker: boolean;
  /** It says what the answer has used, and nothing else. */
  readonly isUsage: boolean;
  /** Of an error; empty where it has none. `null`: it is no error. */
  readonly errorCode: string | null;
}

interface WireEvent {
  readonly error?: { readonly code: string | null };
  /** OpenAI. */
  readonly usage?: unknown;
  readonly choices?: readonly {
    readonly delta?: { readonly content?: string | null };
    readonly finish_reason?: string | null;
  }[];
  /** Anthropic. */
  readonly type?: string;
  readonly delta?: { readonly text?: string; readonly stop_reason?: string | null };
}

const CHAT_MARKER = "[DONE]";
const nothing: SeenEvent = { type: "", text: "", finish: null, isMarker: false, isUsage: false, errorCode: null };

/** `data`: what stands behind `data: `. */
export function readEvent(data: string, speaks: DialectName): SeenEvent {
  if (data === CHAT_MARKER) return { ...nothing, isMarker: speaks !== "anthropic-messages" };
  const json = JSON.parse(data) as WireEvent;
  if (json.error !== undefined) return { ...nothing, errorCode: json.error.code ?? "" };
  return speaks === "anthropic-messages" ? readMessagesEvent(json) : readChatEvent(json);
}

/** Of a whole answer to a Messages request: as OpenAI says it. */
export function finishOf(stopReason: string | null | undefined): string | null {
  if (stopReason === undefined || stopReason === null) return null;
  return stopReason === "max_tokens" ? "length" : "stop";
}

function readChatEvent({ choices, usage }: WireEvent): SeenEvent {
  const [choice] = choices ?? [];
  return {
    ...nothing,
    text: choice?.delta?.content ?? "",
    finish: choice?.finish_reason ?? null,
    isUsage: choice === undefined && usage !== undefined,
  };
}

function readMessagesEvent({ type = "", delta }: WireEvent): SeenEvent {
  return {
    ...nothing,
    type,
    text: delta?.text ?? "",
    finish: finishOf(delta?.stop_reason),
    isMarker: type === "message_stop",
  };
}
