/**
 * Turns the events of a Messages stream into canonical events, one content block into one output item.
 *
 *   content_block_start ──▶ item-start      delta ──▶ text-, reasoning-, arguments-delta      content_block_stop ──▶ item-end
 *
 * Invariants: item indexes are contiguous from 0 whatever the provider's are, because blocks without a counterpart
 * (see response.ts) take none; every item is closed before `finish`; a signature leaves whole, just before its item
 * ends. `usage` is said once, with the finish, when it is final.
 *
 * Leaves to the reader: errors, usage of a stream that breaks, and whether the stream may end.
 */
import { HeadgateError } from "../../kernel/errors.ts";
import type { CanonicalEvent, OutputItemHead } from "../canonical.ts";
import type { StreamDecoder } from "../dialect.ts";
import { opaqueKinds, readRefusal } from "./response.ts";
import { readFinish } from "./stop-reason.ts";
import { UsageTally } from "./usage.ts";
import { asObject, asText, type WireObject } from "../wire-values.ts";

interface OpenItem {
  readonly index: number;
  readonly kind: OutputItemHead["kind"];
  /** Reasoning: what returns to the provider; sent when the block ends. */
  opaqueKind: string;
  opaque: string;
  /** Tool call: the whole input, for a provider that gives it with the start; used if no delta follows. */
  input: string;
  argumentsSeen: boolean;
}

export class MessagesStreamDecoder implements StreamDecoder {
  /** By the provider's block index; `null` for a block that has no counterpart. */
  readonly #open = new Map<unknown, OpenItem | null>();
  readonly #tally = new UsageTally();
  #nextIndex = 0;
  #started = false;
  #finished = false;

  decode(json: unknown): readonly CanonicalEvent[] {
    const event = asObject(json);
    const said: CanonicalEvent[] = [];
    switch (event?.["type"]) {
      case "content_block_delta":
        this.#decodeDelta(event, said);
        break;
      case "content_block_start":
        this.#decodeBlockStart(event, said);
        break;
      case "content_block_stop":
        this.#decodeBlockStop(event["index"], said);
        break;
      case "message_start":
        this.#decodeStart(event, said);
        break;
      case "message_delta":
        this.#decodeFinish(event, said);
        break;
      default:
        break;
    }
    return said;
  }

  #decodeStart(event: WireObject, said: CanonicalEvent[]): void {
    const message = asObject(event["message"]);
    this.#tally.absorb(message?.["usage"]);
    if (this.#started) return;
    this.#started = true;
    said.push({
      type: "start",
      id: asText(message?.["id"]) ?? "",
      model: asText(message?.["model"]) ?? "",
      createdMs: null,
    });
  }

  #decodeBlockStart(event: WireObject, said: CanonicalEvent[]): void {
    const block = asObject(event["content_block"]) ?? {};
    if (this.#open.has(event["index"])) throw malformed("started a content block twice");
    const head = readHead(block);
    if (head === null) {
      this.#open.set(event["index"], null);
      return;
    }
    const item = this.#startItem(head, said);
    this.#open.set(event["index"], item);
    switch (block["type"]) {
      case "text":
        sayText("text-delta", item.index, asText(block["text"]), said);
        break;
      case "thinking":
        sayText("reasoning-delta", item.index, asText(block["thinking"]), said);
        item.opaque = asText(block["signature"]) ?? "";
        break;
      case "redacted_thinking":
        item.opaqueKind = opaqueKinds.redacted;
        item.opaque = asText(block["data"]) ?? "";
        break;
      default:
        item.input = JSON.stringify(block["input"] ?? {});
    }
  }

  #decodeDelta(event: WireObject, said: CanonicalEvent[]): void {
    const item = this.#open.get(event["index"]);
    if (item === undefined) throw malformed("continued a content block that it never started");
    const delta = asObject(event["delta"]);
    if (item === null || delta === null) return;
    switch (delta["type"]) {
      case "text_delta":
        if (item.kind === "message") sayText("text-delta", item.index, asText(delta["text"]), said);
        break;
      case "input_json_delta":
        if (item.kind === "tool-call" && sayText("arguments-delta", item.index, asText(delta["partial_json"]), said)) {
          item.argumentsSeen = true;
        }
        break;
      case "thinking_delta":
        if (item.kind === "reasoning") sayText("reasoning-delta", item.index, asText(delta["thinking"]), said);
        break;
      case "signature_delta":
        item.opaque = asText(delta["signature"]) ?? item.opaque;
        break;
      default:
        break;
    }
  }

  #decodeBlockStop(wireIndex: unknown, said: CanonicalEvent[]): void {
    const item = this.#open.get(wireIndex);
    if (item === undefined) throw malformed("ended a content block that it never started");
    this.#open.delete(wireIndex);
    if (item === null) return;
    if (item.kind === "tool-call" && !item.argumentsSeen) sayText("arguments-delta", item.index, item.input, said);
    endItem(item, said);
  }

  #decodeFinish(event: WireObject, said: CanonicalEvent[]): void {
    this.#tally.absorb(event["usage"]);
    const delta = asObject(event["delta"]);
    const finish = delta === null ? null : readFinish(delta);
    if (delta === null || finish === null || this.#finished) return;
    this.#finished = true;
    for (const item of this.#open.values()) if (item !== null) endItem(item, said);
    this.#open.clear();
    this.#sayRefusal(readRefusal(delta), said);
    const usage = this.#tally.total();
    if (usage !== null) said.push({ type: "usage", usage });
    said.push({ type: "finish", finish });
  }

  #sayRefusal(text: string | null, said: CanonicalEvent[]): void {
    if (text === null) return;
    const item = this.#startItem({ kind: "message" }, said);
    said.push({ type: "refusal-delta", index: item.index, text });
    endItem(item, said);
  }

  #startItem(head: OutputItemHead, said: CanonicalEvent[]): OpenItem {
    const index = this.#nextIndex++;
    said.push({ type: "item-start", index, item: head });
    return { index, kind: head.kind, opaqueKind: opaqueKinds.signature, opaque: "", input: "", argumentsSeen: false };
  }
}

function readHead(block: WireObject): OutputItemHead | null {
  switch (block["type"]) {
    case "text":
      return { kind: "message" };
    case "thinking":
    case "redacted_thinking":
      return { kind: "reasoning" };
    case "tool_use":
      return { kind: "tool-call", callId: asText(block["id"]) ?? "", name: asText(block["name"]) ?? "" };
    default:
      return null;
  }
}

function endItem(item: OpenItem, said: CanonicalEvent[]): void {
  if (item.opaque !== "") {
    const opaque = { origin: "anthropic-messages", kind: item.opaqueKind, value: item.opaque };
    said.push({ type: "reasoning-opaque", index: item.index, opaque });
  }
  said.push({ type: "item-end", index: item.index });
}

/** Whether there was anything to say: an empty delta is none. */
function sayText(
  type: "text-delta" | "reasoning-delta" | "arguments-delta",
  index: number,
  text: string | null,
  said: CanonicalEvent[],
): boolean {
  if (text === null || text === "") return false;
  said.push({ type, index, text });
  return true;
}

function malformed(what: string): HeadgateError {
  return new HeadgateError("upstream_malformed", `The provider's stream ${what}, so the answer cannot be trusted.`);
}
