/**
 * Messages as canonical items. An assistant's message becomes, in this order, its reasoning, what it said, and its
 * tool calls. Reasoning comes back in `reasoning_details` (with its maker's state) or, without state, as
 * `reasoning_content` or `reasoning`.
 *
 * Callers send whole answers back: `annotations`, `parsed` and the like say nothing to a model and are passed over.
 * Any other member without a place in a message of its role goes to `foreign` as `messages[2].name_of_it`.
 */
import type { Item, Part, Role } from "../../canonical.ts";
import { decodeDetails } from "../reasoning-details.ts";
import { readArray, readText, requireObject, type Fields } from "../../request-fields/fields.ts";
import { collectForeign } from "../../request-fields/foreign.ts";
import { invalid, unsupported } from "../../request-fields/refusals.ts";
import { decodeContent } from "./parts.ts";

type Foreign = Map<string, unknown>;

const spoken = ["role", "content", "name"] as const;
const known = {
  system: spoken,
  developer: spoken,
  user: spoken,
  assistant: [
    ...spoken,
    "refusal",
    "tool_calls",
    "function_call",
    "audio",
    "reasoning",
    "reasoning_content",
    "reasoning_details",
    // Of an answer sent back.
    "annotations",
    "parsed",
  ],
  tool: ["role", "content", "tool_call_id"],
} as const;

export function decodeMessages(root: Fields, foreign: Foreign): readonly Item[] {
  const items: Item[] = [];
  for (const [index, value] of (readArray(root, "messages") ?? []).entries()) {
    const path = `messages[${index}]`;
    decodeMessage(requireObject(value, path), path, items, foreign);
  }
  return items;
}

function decodeMessage(message: Fields, path: string, items: Item[], foreign: Foreign): void {
  const role = message["role"];
  switch (role) {
    case "system":
    case "developer":
    case "user":
      collectForeign(message, known[role], `${path}.`, foreign);
      items.push(messageItem(role, message, decodeContent(message["content"], `${path}.content`, foreign), path));
      return;
    case "assistant":
      collectForeign(message, known[role], `${path}.`, foreign);
      decodeAssistant(message, path, items, foreign);
      return;
    case "tool":
      collectForeign(message, known[role], `${path}.`, foreign);
      items.push({
        type: "tool-result",
        callId: readText(message, "tool_call_id", `${path}.`) ?? "",
        parts: decodeContent(message["content"], `${path}.content`, foreign),
        isError: false,
      });
      return;
    default:
      throw unsupported(
        `${path}.role`,
        "Only messages of the roles developer, system, user, assistant and tool can be translated.",
      );
  }
}

function messageItem(role: Role, message: Fields, parts: readonly Part[], path: string): Item {
  return { type: "message", role, name: readText(message, "name", `${path}.`), parts };
}

function decodeAssistant(message: Fields, path: string, items: Item[], foreign: Foreign): void {
  for (const name of ["function_call", "audio"]) {
    if (message[name] === undefined || message[name] === null) continue;
    throw unsupported(`${path}.${name}`, "It cannot be translated for the model's provider. Leave it out.");
  }
  items.push(...decodeReasoning(message, path));
  const calls = readArray(message, "tool_calls", `${path}.`) ?? [];
  const parts = [...decodeContent(message["content"], `${path}.content`, foreign)];
  const refusal = readText(message, "refusal", `${path}.`);
  if (refusal !== null) parts.push({ type: "refusal", text: refusal });
  // Beside tool calls, empty content says the same as null, unless a cache breakpoint hangs on it.
  const silent = calls.length > 0 && parts.every(isSilent);
  if (!silent) items.push(messageItem("assistant", message, parts, path));
  for (const [index, call] of calls.entries()) items.push(decodeCall(call, `${path}.tool_calls[${index}]`, foreign));
}

function isSilent(part: Part): boolean {
  return part.type === "text" && part.text === "" && part.cache === undefined;
}

function decodeReasoning(message: Fields, path: string): readonly Item[] {
  const details = message["reasoning_details"];
  if (details !== undefined && details !== null) {
    const items = decodeDetails(details);
    if (items === null) throw invalid(`${path}.reasoning_details`, "an array of objects, as it came in the answer");
    if (items.length > 0) return items;
  }
  const text = readText(message, "reasoning_content", `${path}.`) ?? readText(message, "reasoning", `${path}.`);
  return text === null || text === "" ? [] : [{ type: "reasoning", text, opaque: [] }];
}

/** `index` and `parsed_arguments` are of answers that openai-node collected or parsed, and repeat what the rest says. */
function decodeCall(value: unknown, path: string, foreign: Foreign): Item {
  const call = requireObject(value, path);
  if ((call["type"] ?? "function") !== "function") {
    throw unsupported(`${path}.type`, "Only function calls can be translated.");
  }
  const wire = requireObject(call["function"], `${path}.function`);
  collectForeign(call, ["id", "type", "function", "index"], `${path}.`, foreign);
  collectForeign(wire, ["name", "arguments", "parsed_arguments"], `${path}.function.`, foreign);
  const callId = readText(call, "id", `${path}.`);
  if (callId === null || callId === "") throw invalid(`${path}.id`, "a non-empty string");
  const name = readText(wire, "name", `${path}.function.`);
  if (name === null || name === "") throw invalid(`${path}.function.name`, "a non-empty string");
  return { type: "tool-call", callId, name, arguments: readText(wire, "arguments", `${path}.function.`) ?? "" };
}
