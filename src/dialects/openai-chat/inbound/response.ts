import { HeadgateError } from "../../../kernel/errors.ts";
import type { CanonicalResponse, Item } from "../../canonical.ts";
import { encodeUsage } from "../encode-usage.ts";
import { toWireFinish } from "../finish-reason.ts";
import { encodeDetail, type ReasoningDetail } from "../reasoning-details.ts";

const ID_PREFIX = "chatcmpl-";

/** Ids keep the provider's own, behind the prefix by which clients know a chat completion. */
export function encodeId(id: string): string {
  return id.startsWith(ID_PREFIX) ? id : ID_PREFIX + id;
}

/**
 * A whole answer (openai-node, `ChatCompletion`), with reasoning as `reasoning_content` and its state as
 * `reasoning_details`. `createdMs` is used where the provider gave no time of its own.
 */
export function encodeResponse(response: CanonicalResponse, createdMs: number): Uint8Array {
  const body = {
    id: encodeId(response.id),
    object: "chat.completion",
    created: Math.floor((response.createdMs ?? createdMs) / 1000),
    model: response.model,
    choices: [
      {
        index: 0,
        message: encodeMessage(response.items),
        logprobs: null,
        finish_reason: toWireFinish(response.finish),
      },
    ],
    ...(response.usage === null ? {} : { usage: encodeUsage(response.usage) }),
  };
  return Buffer.from(JSON.stringify(body));
}

interface Said {
  text: string | null;
  refusal: string | null;
  reasoning: string;
  readonly details: ReasoningDetail[];
  readonly calls: object[];
}

function encodeMessage(items: readonly Item[]): object {
  const said: Said = { text: null, refusal: null, reasoning: "", details: [], calls: [] };
  let reasoningItems = 0;
  for (const item of items) {
    if (item.type === "reasoning") {
      said.reasoning += item.text;
      const index = reasoningItems++;
      for (const opaque of item.opaque) said.details.push(encodeDetail(opaque, item.text, index));
    } else {
      sayItem(item, said);
    }
  }
  return {
    role: "assistant",
    content: said.text === "" && said.calls.length > 0 ? null : said.text,
    refusal: said.refusal,
    ...(said.reasoning === "" ? {} : { reasoning_content: said.reasoning }),
    ...(said.details.length === 0 ? {} : { reasoning_details: said.details }),
    ...(said.calls.length === 0 ? {} : { tool_calls: said.calls }),
  };
}

function sayItem(item: Exclude<Item, { readonly type: "reasoning" }>, said: Said): void {
  if (item.type === "tool-result") throw cannotCarry("a tool result");
  if (item.type === "tool-call") {
    const call = { name: item.name, arguments: item.arguments === "" ? "{}" : item.arguments };
    said.calls.push({ id: item.callId, type: "function", function: call });
    return;
  }
  for (const part of item.parts) {
    if (part.type === "text") said.text = (said.text ?? "") + part.text;
    else if (part.type === "refusal") said.refusal = (said.refusal ?? "") + part.text;
    else throw cannotCarry(`a part of the type ${part.type}`);
  }
}

function cannotCarry(what: string): HeadgateError {
  return new HeadgateError("unsupported_capability", `The answer holds ${what}, which a chat completion cannot carry.`);
}
