/** What a caller makes of the bytes it got. */
import type { Inbox } from "./inbox.ts";

export type Seen =
  /** Nobody was there to see it, or the connection was closed before anything came. */
  | { readonly kind: "nothing" }
  | { readonly kind: "error"; readonly status: number; readonly code: string | null }
  | { readonly kind: "whole"; readonly text: string; readonly finish: string | null }
  | SeenStream;

export interface SeenStream {
  readonly kind: "stream";
  readonly text: string;
  readonly finish: string | null;
  /** Terminal markers, and whether the last event is one. */
  readonly markers: number;
  readonly endsWithMarker: boolean;
  /** Of the error event that is last; `null` without one. */
  readonly errorCode: string | null;
  /** Error events anywhere else. */
  readonly strayErrors: number;
  readonly usageEvents: number;
  /** Whether the connection was closed after the last event rather than within. */
  readonly isWhole: boolean;
}

export function readInbox(inbox: Inbox): Seen {
  if (inbox.status === null) return { kind: "nothing" };
  if (inbox.headers.get("content-type")?.startsWith("text/event-stream") === true) return readStream(inbox.text());
  const json = JSON.parse(inbox.text()) as WireAnswer;
  if (inbox.status !== 200) return { kind: "error", status: inbox.status, code: json.error?.code ?? null };
  const [vector] = json.data ?? [];
  if (vector !== undefined) return { kind: "whole", text: JSON.stringify(vector.embedding), finish: null };
  const [choice] = json.choices ?? [];
  return { kind: "whole", text: choice?.message?.content ?? "", finish: choice?.finish_reason ?? null };
}

interface WireAnswer {
  readonly error?: { readonly code: string | null };
  readonly usage?: unknown;
  readonly data?: readonly { readonly embedding: readonly number[] }[];
  readonly choices?: readonly {
    readonly message?: { readonly content: string };
    readonly delta?: { readonly content?: string | null };
    readonly finish_reason?: string | null;
  }[];
}

const MARKER = "[DONE]";

function readStream(text: string): SeenStream {
  const isWhole = text === "" || text.endsWith("\n\n");
  const lines = text.split("\n").filter((line) => line.startsWith("data: "));
  const events = lines.map((line) => line.slice("data: ".length));
  let said = "";
  let finish: string | null = null;
  let errorCode: string | null = null;
  let errors = 0;
  let usageEvents = 0;
  for (const [at, data] of events.entries()) {
    if (data === MARKER || (!isWhole && at === events.length - 1)) continue;
    const json = JSON.parse(data) as WireAnswer;
    if (json.error !== undefined) {
      errors++;
      if (at === events.length - 1) errorCode = json.error.code ?? "";
      continue;
    }
    const [choice] = json.choices ?? [];
    said += choice?.delta?.content ?? "";
    finish = choice?.finish_reason ?? finish;
    if (choice === undefined && json.usage !== undefined) usageEvents++;
  }
  return {
    kind: "stream",
    text: said,
    finish,
    markers: events.filter((data) => data === MARKER).length,
    endsWithMarker: events.at(-1) === MARKER && isWhole,
    errorCode,
    strayErrors: errors - (errorCode === null ? 0 : 1),
    usageEvents,
    isWhole,
  };
}
