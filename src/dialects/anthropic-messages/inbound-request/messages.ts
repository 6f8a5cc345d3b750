/**
 * The system text and the turns as canonical items, in the order in which they were said. A turn becomes one message for
 * each run of text, images and documents, and one item for each other block: reasoning with its signature, a tool call,
 * a tool's result. Whose state a signature is says foreign-signature.ts.
 *
 * Blocks that Anthropic's own tools leave in a conversation (`server_tool_use`, `web_search_tool_result`, …) have no
 * counterpart and are refused by their path, like blocks where their role has none.
 */
import type { Item, Part, Role } from "../../canonical.ts";
import { readArray, readFlag, requireObject, type Fields } from "../../request-fields/fields.ts";
import { collectForeign } from "../../request-fields/foreign.ts";
import { invalid, unsupported } from "../../request-fields/refusals.ts";
import { withoutBillingLine } from "../billing-line.ts";
import { decodeCallId } from "../call-id.ts";
import { decodeSignature } from "../foreign-signature.ts";
import { opaqueKinds } from "../response.ts";
import { shortenToolName } from "../tool-name.ts";
import { decodeContent, decodePart, requireText, untranslatable, type Foreign } from "./blocks.ts";

export function decodeConversation(root: Fields, foreign: Foreign): readonly Item[] {
  const items: Item[] = [];
  const system = decodeSystem(root["system"], foreign);
  if (system.length > 0) items.push(messageOf("system", system));
  for (const [index, value] of (readArray(root, "messages") ?? []).entries()) {
    const path = `messages[${index}]`;
    decodeMessage(requireObject(value, path), path, items, foreign);
  }
  return items;
}

function decodeMessage(message: Fields, path: string, items: Item[], foreign: Foreign): void {
  collectForeign(message, ["role", "content"], `${path}.`, foreign);
  const { role, content } = message;
  if (role !== "user" && role !== "assistant" && role !== "system") {
    throw unsupported(`${path}.role`, "Only messages of the roles user, assistant and system can be translated.");
  }
  if (typeof content === "string") {
    items.push(messageOf(role, [{ type: "text", text: content }]));
    return;
  }
  const said: Part[] = [];
  for (const [index, value] of (readArray(message, "content", `${path}.`) ?? []).entries()) {
    const place = `${path}.content[${index}]`;
    const block = requireObject(value, place);
    const part = decodePart(block, `${place}.`, foreign);
    if (part !== null) {
      if (role !== "user" && part.type !== "text") throw untranslatable(block, place);
      said.push(part);
      continue;
    }
    const item = decodeBlock(block, role, place, foreign);
    if (said.length > 0) items.push(messageOf(role, said.splice(0)));
    items.push(item);
  }
  if (said.length > 0) items.push(messageOf(role, said));
}

function messageOf(role: Role, parts: readonly Part[]): Item {
  return { type: "message", role, name: null, parts };
}

/** The line for Anthropic's billing goes to `foreign`: it is none of the prompt's. */
function decodeSystem(system: unknown, foreign: Foreign): readonly Part[] {
  const parts = decodeContent(system, "system", foreign);
  const index = parts.findIndex((part) => part.type !== "text");
  if (index !== -1) throw invalid(`system[${index}].type`, "text");
  const [first, ...others] = parts;
  if (first?.type !== "text") return parts;
  const text = withoutBillingLine(first.text);
  if (text === first.text) return parts;
  foreign.set("x-anthropic-billing-header", first.text.slice(0, first.text.length - text.length));
  return text === "" ? others : [{ ...first, text }, ...others];
}

function decodeBlock(block: Fields, role: Role, path: string, foreign: Foreign): Item {
  const kind = `${role} ${String(block["type"])}`;
  const prefix = `${path}.`;
  switch (kind) {
    case "assistant thinking":
      collectForeign(block, ["type", "thinking", "signature"], prefix, foreign);
      return {
        type: "reasoning",
        text: requireText(block, "thinking", prefix),
        opaque: decodeSignature(requireText(block, "signature", prefix)),
      };
    case "assistant redacted_thinking": {
      collectForeign(block, ["type", "data"], prefix, foreign);
      const value = requireText(block, "data", prefix);
      return {
        type: "reasoning",
        text: "",
        opaque: [{ origin: "anthropic-messages", kind: opaqueKinds.redacted, value }],
      };
    }
    case "assistant tool_use":
      collectForeign(block, ["type", "id", "name", "input"], prefix, foreign);
      return {
        type: "tool-call",
        callId: decodeCallId(requireName(block, "id", prefix)),
        name: shortenToolName(requireName(block, "name", prefix)),
        arguments: JSON.stringify(requireObject(block["input"], `${prefix}input`)),
      };
    case "user tool_result":
      collectForeign(block, ["type", "tool_use_id", "content", "is_error"], prefix, foreign);
      return {
        type: "tool-result",
        callId: decodeCallId(requireName(block, "tool_use_id", prefix)),
        parts: decodeContent(block["content"], `${prefix}content`, foreign),
        isError: readFlag(block, "is_error", prefix) ?? false,
      };
    default:
      throw untranslatable(block, path);
  }
}

function requireName(fields: Fields, name: string, prefix: string): string {
  const text = requireText(fields, name, prefix);
  if (text === "") throw invalid(prefix + name, "a non-empty string");
  return text;
}
