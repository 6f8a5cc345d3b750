/** The two forms of an answer in canonical form, whole and as what a stream says, and the way from each to the other. */
import type {
  CanonicalEvent,
  CanonicalResponse,
  Finish,
  Item,
  OpaqueState,
  OutputItemHead,
  Part,
} from "./canonical.ts";
import type { Usage } from "../kernel/usage.ts";

interface Draft {
  readonly head: OutputItemHead;
  /** Of a message, of reasoning, or the arguments of a tool call. */
  text: string;
  refusal: string;
  readonly opaque: OpaqueState[];
}

/** The whole answer that a stream has told. `null`: it did not begin, or did not say why it stopped. */
export function foldAnswer(events: Iterable<CanonicalEvent>): CanonicalResponse | null {
  const drafts: Draft[] = [];
  let start: Extract<CanonicalEvent, { readonly type: "start" }> | null = null;
  let finish: Finish | null = null;
  let usage: Usage | null = null;
  for (const event of events) {
    if (event.type === "start") start ??= event;
    else if (event.type === "finish") finish ??= event.finish;
    else if (event.type === "usage") usage = event.usage;
    else if (event.type === "item-start") drafts[event.index] = { head: event.item, text: "", refusal: "", opaque: [] };
    else absorb(drafts[event.index], event);
  }
  if (start === null || finish === null) return null;
  const { id, model, createdMs } = start;
  return { id, model, createdMs, items: drafts.map(toItem), finish, usage };
}

type Delta = Exclude<CanonicalEvent, { readonly type: "start" | "finish" | "usage" | "item-start" }>;

function absorb(draft: Draft | undefined, event: Delta): void {
  if (draft === undefined || event.type === "item-end") return;
  if (event.type === "refusal-delta") draft.refusal += event.text;
  else if (event.type === "reasoning-opaque") draft.opaque.push(event.opaque);
  else draft.text += event.text;
}

function toItem({ head, text, refusal, opaque }: Draft): Item {
  if (head.kind === "reasoning") return { type: "reasoning", text, opaque };
  if (head.kind === "tool-call") return { type: "tool-call", callId: head.callId, name: head.name, arguments: text };
  const parts: Part[] = [];
  if (text !== "" || refusal === "") parts.push({ type: "text", text });
  if (refusal !== "") parts.push({ type: "refusal", text: refusal });
  return { type: "message", role: "assistant", name: null, parts };
}

/** What a stream tells of a whole answer, each item at once. Of what an answer does not have (media, tool results) nothing. */
export function* unfoldAnswer({
  id,
  model,
  createdMs,
  items,
  finish,
  usage,
}: CanonicalResponse): Generator<CanonicalEvent> {
  yield { type: "start", id, model, createdMs };
  let index = 0;
  for (const item of items) if (item.type !== "tool-result") yield* unfoldItem(item, index++);
  if (usage !== null) yield { type: "usage", usage };
  yield { type: "finish", finish };
}

function* unfoldItem(item: Exclude<Item, { readonly type: "tool-result" }>, index: number): Generator<CanonicalEvent> {
  if (item.type === "message") {
    yield { type: "item-start", index, item: { kind: "message" } };
    for (const part of item.parts) {
      if (part.type === "text" && part.text !== "") yield { type: "text-delta", index, text: part.text };
      if (part.type === "refusal") yield { type: "refusal-delta", index, text: part.text };
    }
  } else if (item.type === "reasoning") {
    yield { type: "item-start", index, item: { kind: "reasoning" } };
    if (item.text !== "") yield { type: "reasoning-delta", index, text: item.text };
    for (const opaque of item.opaque) yield { type: "reasoning-opaque", index, opaque };
  } else {
    const { callId, name } = item;
    yield { type: "item-start", index, item: { kind: "tool-call", callId, name } };
    if (item.arguments !== "") yield { type: "arguments-delta", index, text: item.arguments };
  }
  yield { type: "item-end", index };
}
