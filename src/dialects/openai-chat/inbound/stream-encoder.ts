/**
 * Writes canonical events as chat completion chunks (openai-node, `ChatCompletionChunk`): the role first, a tool
 * call's id and name on its first delta only, one `finish_reason`, then, only if the caller asked, a chunk with usage
 * and empty `choices`, and `[DONE]`. Reasoning is `reasoning_content`; its state follows as `reasoning_details`.
 *
 * Runs for every event of a translated stream: what all chunks share is rendered once.
 */
import type { CanonicalEvent, Finish, OutputItemHead } from "../../canonical.ts";
import type { RequestView, StreamEncoder } from "../../dialect.ts";
import type { Usage } from "../../../kernel/usage.ts";
import { encodeUsage } from "../encode-usage.ts";
import { toWireFinish } from "../finish-reason.ts";
import { encodeDetail } from "../reasoning-details.ts";
import { encodeId } from "./response.ts";

interface OpenCall {
  /** Among the tool calls of the answer, from 0. */
  readonly wireIndex: number;
  argumentsSeen: boolean;
}

interface OpenReasoning {
  readonly wireIndex: number;
  text: string;
}

const DONE = "data: [DONE]\n\n";

export class ChatStreamEncoder implements StreamEncoder {
  readonly #createdMs: number;
  readonly #wantsUsage: boolean;
  readonly #idStands: boolean;
  readonly #calls = new Map<number, OpenCall>();
  readonly #reasoning = new Map<number, OpenReasoning>();
  #callCount = 0;
  #reasoningCount = 0;
  #roleSaid = false;
  #usage: Usage | null = null;
  /** `data: {"id":…,"model":…,"choices":` */
  #head = "";
  #tail = "";

  constructor(view: RequestView, createdMs: number, idStands = false) {
    this.#createdMs = createdMs;
    this.#idStands = idStands;
    this.#wantsUsage = view.wantsStreamUsage;
  }

  encode(event: CanonicalEvent): string {
    switch (event.type) {
      case "start":
        this.#start(event.id, event.model, event.createdMs ?? this.#createdMs);
        return "";
      case "item-start":
        return this.#startItem(event.index, event.item);
      case "text-delta":
        return this.#delta(`{"content":${JSON.stringify(event.text)}}`);
      case "refusal-delta":
        return this.#delta(`{"refusal":${JSON.stringify(event.text)}}`);
      case "reasoning-delta": {
        const open = this.#reasoning.get(event.index);
        if (open !== undefined) open.text += event.text;
        return this.#delta(`{"reasoning_content":${JSON.stringify(event.text)}}`);
      }
      case "reasoning-opaque": {
        const open = this.#reasoning.get(event.index);
        const detail = encodeDetail(event.opaque, open?.text ?? "", open?.wireIndex ?? 0);
        return this.#delta(`{"reasoning_details":[${JSON.stringify(detail)}]}`);
      }
      case "arguments-delta":
        return this.#sayArguments(event.index, event.text);
      case "item-end":
        return this.#endItem(event.index);
      case "usage":
        this.#usage = event.usage;
        return "";
      case "finish":
        return this.#finish(event.finish);
    }
  }

  end(): string {
    if (!this.#wantsUsage || this.#usage === null) return DONE;
    return `${this.#head}[],"usage":${JSON.stringify(encodeUsage(this.#usage))}}\n\n${DONE}`;
  }

  #start(id: string, model: string, createdMs: number): void {
    const created = Math.floor(createdMs / 1000);
    const shared = { id: this.#idStands ? id : encodeId(id), object: "chat.completion.chunk", created, model };
    this.#head = `data: ${JSON.stringify(shared).slice(0, -1)},"choices":`;
    this.#tail = this.#wantsUsage ? ',"usage":null}\n\n' : "}\n\n";
  }

  #startItem(index: number, item: OutputItemHead): string {
    const role = this.#sayRole(item.kind === "message");
    if (item.kind === "reasoning") {
      this.#reasoning.set(index, { wireIndex: this.#reasoningCount++, text: "" });
    } else if (item.kind === "tool-call") {
      const wireIndex = this.#callCount++;
      this.#calls.set(index, { wireIndex, argumentsSeen: false });
      const call = {
        index: wireIndex,
        id: item.callId,
        type: "function",
        function: { name: item.name, arguments: "" },
      };
      return role + this.#delta(`{"tool_calls":[${JSON.stringify(call)}]}`);
    }
    return role;
  }

  /** An answer that begins with a tool call or reasoning has `null` content until text comes. */
  #sayRole(beginsWithText: boolean): string {
    if (this.#roleSaid) return "";
    this.#roleSaid = true;
    return this.#delta(`{"role":"assistant","content":${beginsWithText ? '""' : "null"},"refusal":null}`);
  }

  #sayArguments(index: number, text: string): string {
    const call = this.#calls.get(index);
    if (call === undefined || text === "") return "";
    call.argumentsSeen = true;
    return this.#delta(`{"tool_calls":[{"index":${call.wireIndex},"function":{"arguments":${JSON.stringify(text)}}}]}`);
  }

  #endItem(index: number): string {
    this.#reasoning.delete(index);
    const call = this.#calls.get(index);
    this.#calls.delete(index);
    if (call === undefined || call.argumentsSeen) return "";
    return this.#delta(`{"tool_calls":[{"index":${call.wireIndex},"function":{"arguments":"{}"}}]}`);
  }

  #finish(finish: Finish): string {
    return this.#sayRole(true) + this.#choice("{}", JSON.stringify(toWireFinish(finish)));
  }

  #delta(delta: string): string {
    return this.#choice(delta, "null");
  }

  #choice(delta: string, reason: string): string {
    return `${this.#head}[{"index":0,"delta":${delta},"logprobs":null,"finish_reason":${reason}}]${this.#tail}`;
  }
}
