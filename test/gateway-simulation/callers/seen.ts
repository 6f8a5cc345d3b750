/** What a caller makes of the bytes it got. */
import type { DialectName } from "../../../src/dialects/dialect.ts";
import type { Request } from "./request.ts";
import { finishOf, readEvent } from "./seen-events.ts";

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
  /** The types of its events, where its dialect has any, with a space behind each. */
  readonly order: string;
  /** Whether the connection was closed after the last event rather than within. */
  readonly isWhole: boolean;
}

export function readAnswer({ inbox, ask }: Request): Seen {
  if (inbox.status === null) return { kind: "nothing" };
  const isStream = inbox.headers.get("content-type")?.startsWith("text/event-stream") === true;
  return isStream ? readStream(inbox.text(), ask.speaks) : readWhole(inbox.text(), inbox.status);
}

/** As any of the dialects says it. */
interface WireAnswer {
  readonly error?: { readonly code: string | null };
  readonly data?: readonly { readonly embedding: readonly number[] }[];
  readonly choices?: readonly {
    readonly message?: { readonly content: string };
    readonly finish_reason?: string | null;
  }[];
  readonly content?: readonly { readonly text?: string }[];
  readonly stop_reason?: string | null;
}

function readWhole(text: string, status: number): Seen {
  const json = JSON.parse(text) as WireAnswer;
  if (status !== 200) return { kind: "error", status, code: json.error?.code ?? null };
  const [vector] = json.data ?? [];
  if (vector !== undefined) return { kind: "whole", text: JSON.stringify(vector.embedding), finish: null };
  if (json.content !== undefined) {
    const said = json.content.map((block) => block.text ?? "").join("");
    return { kind: "whole", text: said, finish: finishOf(json.stop_reason) };
  }
  const [choice] = json.choices ?? [];
  return { kind: "whole", text: choice?.message?.content ?? "", finish: choice?.finish_reason ?? null };
}

function readStream(text: string, speaks: DialectName): SeenStream {
  const isWhole = text === "" || text.endsWith("\n\n");
  const lines = text.split("\n").filter((line) => line.startsWith("data: "));
  const said = isWhole ? lines : lines.slice(0, -1);
  const events = said.map((line) => readEvent(line.slice("data: ".length), speaks));
  const last = events.at(-1);
  const errorCode = isWhole ? (last?.errorCode ?? null) : null;
  const count = (is: (event: (typeof events)[number]) => boolean): number => events.filter(is).length;
  return {
    kind: "stream",
    text: events.map((event) => event.text).join(""),
    finish: events.findLast(({ finish }) => finish !== null)?.finish ?? null,
    markers: count(({ isMarker }) => isMarker),
    endsWithMarker: isWhole && last?.isMarker === true,
    errorCode,
    strayErrors: count((event) => event.errorCode !== null) - (errorCode === null ? 0 : 1),
    order: events.map(({ type }) => (type === "" ? "" : `${type} `)).join(""),
    usageEvents: count(({ isUsage }) => isUsage),
    isWhole,
  };
}
