/**
 * Reads chunks as canonical events. Reasoning ends where text or a tool call begins, text ends where a tool call
 * begins (and a new message begins if text comes again); tool calls stay open until the finish reason, because their
 * deltas may interleave. What comes after the finish reason, other than usage, belongs to no item and is passed over;
 * so are choices other than the first, which a translated request never asks for.
 */
import type { CanonicalEvent, OutputItemHead } from "../../canonical.ts";
import type { Quirks, StreamDecoder } from "../../dialect.ts";
import { asArray, asCount, asObject, asText, type WireObject } from "../../wire-values.ts";
import { toFinishReason } from "../finish-reason.ts";
import { readUsage, usageIn } from "../usage.ts";
import { readReasoningState, readReasoningText } from "./reasoning.ts";
import { ToolCallAssembler } from "./tool-calls.ts";
import { readContentText } from "./wire-content.ts";

export class ChatStreamDecoder implements StreamDecoder {
  readonly #quirks: Quirks;
  readonly #calls: ToolCallAssembler;
  #id = "";
  #nextIndex = 0;
  #started = false;
  #finished = false;
  /** Index of the open item of its kind, -1 if none is open. */
  #message = -1;
  #reasoning = -1;
  /** What the open reasoning item has said. */
  #reasoningText = "";

  constructor(quirks: Quirks) {
    this.#quirks = quirks;
    this.#calls = new ToolCallAssembler((position) => `call_${this.#id}_${position}`);
  }

  decode(json: unknown): readonly CanonicalEvent[] {
    const said: CanonicalEvent[] = [];
    const chunk = asObject(json);
    if (chunk === null) return said;
    const choice = asArray(chunk["choices"])?.map(asObject).find(isFirstChoice) ?? null;
    if (!this.#started && (choice !== null || asText(chunk["id"]))) this.#start(chunk, said);
    if (choice !== null && !this.#finished) this.#decodeChoice(choice, said);
    const usage = readUsage(usageIn(chunk), this.#quirks);
    if (usage !== null) said.push({ type: "usage", usage });
    return said;
  }

  #start(chunk: WireObject, said: CanonicalEvent[]): void {
    this.#started = true;
    this.#id = asText(chunk["id"]) ?? "";
    const created = asCount(chunk["created"]);
    said.push({
      type: "start",
      id: this.#id,
      model: asText(chunk["model"]) ?? "",
      createdMs: created === null ? null : created * 1000,
    });
  }

  #decodeChoice(choice: WireObject, said: CanonicalEvent[]): void {
    const delta = asObject(choice["delta"] ?? choice["message"]);
    if (delta !== null) this.#decodeDelta(delta, said);
    const native = asText(choice["finish_reason"]);
    if (native === null || native === "") return;
    this.#finished = true;
    this.#endReasoning(said);
    this.#endMessage(said);
    this.#calls.end(said);
    said.push({ type: "finish", finish: { reason: toFinishReason(native), native, stopSequence: null } });
  }

  #decodeDelta(delta: WireObject, said: CanonicalEvent[]): void {
    const content = readContentText(delta["content"]);
    const state = readReasoningState(delta);
    let reasoning = readReasoningText(delta) + content.reasoning;
    // A detail with a signature may repeat the whole text that it signs.
    if (state.length > 0 && reasoning === this.#reasoningText) reasoning = "";
    if (reasoning !== "" || state.length > 0) {
      this.#endMessage(said);
      if (this.#reasoning < 0) this.#reasoning = this.#startItem({ kind: "reasoning" }, said);
      if (reasoning !== "") said.push({ type: "reasoning-delta", index: this.#reasoning, text: reasoning });
      this.#reasoningText += reasoning;
      for (const opaque of state) said.push({ type: "reasoning-opaque", index: this.#reasoning, opaque });
    }
    if (content.text !== "") this.#sayText("text-delta", content.text, said);
    const refusal = asText(delta["refusal"]);
    if (refusal !== null && refusal !== "") this.#sayText("refusal-delta", refusal, said);
    for (const call of asArray(delta["tool_calls"]) ?? []) {
      const fields = asObject(call);
      if (fields === null) continue;
      this.#endReasoning(said);
      this.#endMessage(said);
      this.#nextIndex = this.#calls.decode(fields, this.#nextIndex, said);
    }
  }

  #sayText(type: "text-delta" | "refusal-delta", text: string, said: CanonicalEvent[]): void {
    this.#endReasoning(said);
    if (this.#message < 0) this.#message = this.#startItem({ kind: "message" }, said);
    said.push({ type, index: this.#message, text });
  }

  #startItem(item: OutputItemHead, said: CanonicalEvent[]): number {
    const index = this.#nextIndex++;
    said.push({ type: "item-start", index, item });
    return index;
  }

  #endMessage(said: CanonicalEvent[]): void {
    if (this.#message >= 0) said.push({ type: "item-end", index: this.#message });
    this.#message = -1;
  }

  #endReasoning(said: CanonicalEvent[]): void {
    if (this.#reasoning >= 0) said.push({ type: "item-end", index: this.#reasoning });
    this.#reasoning = -1;
    this.#reasoningText = "";
  }
}

function isFirstChoice(choice: WireObject | null): choice is WireObject {
  return choice !== null && (asCount(choice["index"]) ?? 0) === 0;
}
