/**
 * Writes canonical events as the events of a Messages stream (`RawMessageStreamEvent` in anthropic-sdk-typescript):
 *
 *   message_start ─ (content_block_start ─ content_block_delta* ─ content_block_stop)* ─ message_delta ─ message_stop
 *
 * Invariants: block indexes are contiguous from 0, and blocks do not interleave. Items may: the lowest open item is
 * told as it comes, what others say meanwhile is kept and told when it is over, so that what was told so far depends
 * only on what was said so far. An item that says nothing has no block; but where the caller was shown a stream of this
 * dialect, whose id stands, a message has one as soon as it begins, as it had there.
 *
 * Why the answer stopped is told at the end, with the usage, which some providers give after it, and others not at all.
 *
 * Runs for every event of a translated stream.
 */
import type { CanonicalEvent, Finish, OpaqueState, OutputItemHead } from "../../canonical.ts";
import type { RequestView, StreamEncoder, UsageCount } from "../../dialect.ts";
import { HeadgateError } from "../../../kernel/errors.ts";
import type { Usage } from "../../../kernel/usage.ts";
import { encodeCallId } from "../call-id.ts";
import { encodeUsage, unknownUsage } from "../encode-usage.ts";
import { encodeSignature } from "../foreign-signature.ts";
import { encodeStop } from "../stop-reason.ts";
import { restoreToolName } from "../tool-name.ts";
import { encodeId, isRedacted } from "./response.ts";

export const messageStop = 'event: message_stop\ndata: {"type":"message_stop"}\n\n';

/** Of what may wait for its turn: more than any model says in one answer. */
const KEPT_CHARS_MAX = 8 * 1024 * 1024;

/** An item that has begun and is not told to its end. */
interface OpenItem {
  readonly head: OutputItemHead;
  /** Said while another item is being told. */
  kept: string;
  readonly opaque: OpaqueState[];
  hasEnded: boolean;
}

export class MessagesStreamEncoder implements StreamEncoder {
  readonly #view: RequestView;
  readonly #idStands: boolean;
  readonly #items = new Map<number, OpenItem>();
  /** The canonical index of the item being told, or of the next one. */
  #told = 0;
  /** Whether the block of the item being told has begun. */
  #blockBegun = false;
  #block = 0;
  #keptChars = 0;
  #hasCalls = false;
  #refusal = "";
  #usage: Usage | null = null;
  #finish: Finish | null = null;

  constructor(view: RequestView, idStands = false) {
    this.#view = view;
    this.#idStands = idStands;
  }

  encode(event: CanonicalEvent): string {
    switch (event.type) {
      case "start":
        return this.#start(event.id, event.model);
      case "item-start":
        return this.#startItem(event.index, event.item);
      case "text-delta":
      case "reasoning-delta":
      case "arguments-delta":
        return this.#say(event.index, event.text);
      case "refusal-delta":
        this.#refusal += event.text;
        return "";
      case "reasoning-opaque":
        this.#items.get(event.index)?.opaque.push(event.opaque);
        return "";
      case "item-end":
        return this.#endItem(event.index);
      case "usage":
        this.#usage = event.usage;
        return "";
      case "finish":
        this.#finish = event.finish;
        return "";
    }
  }

  end(count?: UsageCount): string {
    if (this.#finish === null) return messageStop;
    const delta = encodeStop(this.#finish, { hasCalls: this.#hasCalls, refusal: this.#refusal });
    const usage = encodeUsage(this.#usage, count);
    return render("message_delta", JSON.stringify({ type: "message_delta", delta, usage })) + messageStop;
  }

  #start(id: string, model: string): string {
    const message = {
      id: this.#idStands ? id : encodeId(id),
      type: "message",
      role: "assistant",
      model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      stop_details: null,
      usage: unknownUsage,
    };
    return render("message_start", JSON.stringify({ type: "message_start", message }));
  }

  #startItem(index: number, head: OutputItemHead): string {
    this.#items.set(index, { head, kept: "", opaque: [], hasEnded: false });
    if (head.kind === "tool-call") this.#hasCalls = true;
    return index === this.#told && this.#beginsAtOnce(head) ? this.#beginBlock(head) : "";
  }

  #beginsAtOnce({ kind }: OutputItemHead): boolean {
    return kind === "tool-call" || (kind === "message" && this.#idStands);
  }

  #say(index: number, text: string): string {
    const item = this.#items.get(index);
    if (item === undefined || text === "") return "";
    if (index === this.#told) return this.#tell(item.head, text);
    this.#keptChars += text.length;
    if (this.#keptChars > KEPT_CHARS_MAX) throw tooMuchKept();
    item.kept += text;
    return "";
  }

  #endItem(index: number): string {
    const item = this.#items.get(index);
    if (item === undefined) return "";
    item.hasEnded = true;
    if (index !== this.#told) return "";
    let wire = this.#endTold(index, item);
    for (let next = this.#items.get(this.#told); next !== undefined; next = this.#items.get(this.#told)) {
      if (this.#beginsAtOnce(next.head)) wire += this.#beginBlock(next.head);
      if (next.kept !== "") wire += this.#tell(next.head, next.kept);
      this.#keptChars -= next.kept.length;
      next.kept = "";
      if (!next.hasEnded) return wire;
      wire += this.#endTold(this.#told, next);
    }
    return wire;
  }

  /** Closes the block of the item being told, and goes on to the next item. */
  #endTold(index: number, { head, opaque }: OpenItem): string {
    let wire = "";
    const signing = opaque.filter((state) => !isRedacted(state));
    if (head.kind === "reasoning" && (this.#blockBegun || signing.length > 0)) {
      const signature = JSON.stringify(encodeSignature(signing));
      wire += this.#begun(head) + this.#delta(`{"type":"signature_delta","signature":${signature}}`);
    }
    wire += this.#endBlock();
    for (const state of opaque) {
      if (!isRedacted(state)) continue;
      wire += this.#begin(`{"type":"redacted_thinking","data":${JSON.stringify(state.value)}}`) + this.#endBlock();
    }
    this.#items.delete(index);
    this.#told = index + 1;
    return wire;
  }

  #tell(head: OutputItemHead, text: string): string {
    return this.#begun(head) + this.#delta(`${deltaHeads[head.kind]}${JSON.stringify(text)}}`);
  }

  #begun(head: OutputItemHead): string {
    return this.#blockBegun ? "" : this.#beginBlock(head);
  }

  #beginBlock(head: OutputItemHead): string {
    if (head.kind === "message") return this.#begin('{"type":"text","text":""}');
    if (head.kind === "reasoning") return this.#begin('{"type":"thinking","thinking":"","signature":""}');
    const { callId } = head;
    const name = restoreToolName(head.name, this.#view);
    return this.#begin(JSON.stringify({ type: "tool_use", id: encodeCallId(callId), name, input: {} }));
  }

  #begin(block: string): string {
    this.#blockBegun = true;
    const data = `{"type":"content_block_start","index":${this.#block},"content_block":${block}}`;
    return render("content_block_start", data);
  }

  #endBlock(): string {
    if (!this.#blockBegun) return "";
    this.#blockBegun = false;
    return render("content_block_stop", `{"type":"content_block_stop","index":${this.#block++}}`);
  }

  #delta(delta: string): string {
    return render("content_block_delta", `{"type":"content_block_delta","index":${this.#block},"delta":${delta}}`);
  }
}

function tooMuchKept(): HeadgateError {
  const message = "The provider interleaves more of its answer than can be put in order.";
  return new HeadgateError("upstream_too_large", message);
}

/** Up to the text. */
const deltaHeads = {
  message: '{"type":"text_delta","text":',
  reasoning: '{"type":"thinking_delta","thinking":',
  "tool-call": '{"type":"input_json_delta","partial_json":',
} as const;

function render(name: string, data: string): string {
  return `event: ${name}\ndata: ${data}\n\n`;
}
