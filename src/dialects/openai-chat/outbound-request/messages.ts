/**
 * Canonical items as messages. Reasoning, what the assistant said, and its tool calls become one message of the
 * assistant, as long as nobody else speaks between them: this dialect wants the results right after the message
 * that made the calls.
 */
import { HeadgateError } from "../../../kernel/errors.ts";
import type { Item, Part } from "../../canonical.ts";
import type { Loss, Quirks } from "../../dialect.ts";
import type { ReasoningItem } from "../reasoning-details.ts";
import { encodeParts } from "./parts.ts";
import { encodeReasoningHistory } from "./reasoning-history.ts";

type ReasoningHistory = NonNullable<Quirks["reasoningHistory"]>;
type ToolCall = Extract<Item, { readonly type: "tool-call" }>;

/** The assistant's message that is being put together. */
interface Turn {
  name: string | null;
  readonly reasoning: ReasoningItem[];
  said: Part[] | null;
  readonly calls: ToolCall[];
}

/** Throws `unsupported_parameter` for media in a tool's result. */
export function encodeMessages(items: readonly Item[], history: ReasoningHistory, losses: Set<Loss>): object[] {
  const messages: object[] = [];
  let turn: Turn | null = null;
  const closeTurn = (): void => {
    if (turn !== null) messages.push(encodeTurn(turn, history, losses));
    turn = null;
  };
  for (const item of items) {
    if (belongsToAssistant(item)) {
      if (turn !== null && !continues(turn, item)) closeTurn();
      turn ??= { name: null, reasoning: [], said: null, calls: [] };
      addToTurn(turn, item);
      continue;
    }
    closeTurn();
    messages.push(item.type === "tool-result" ? encodeResult(item, losses) : encodeMessage(item, losses));
  }
  closeTurn();
  return messages;
}

type AssistantItem = Exclude<Item, { readonly type: "tool-result" }>;
type OtherItem = Extract<Item, { readonly type: "message" | "tool-result" }>;

function belongsToAssistant(item: Item): item is AssistantItem {
  return item.type === "message" ? item.role === "assistant" : item.type !== "tool-result";
}

/** A second message is its own turn, unless calls wait for their results: text after them moves before them. */
function continues(turn: Turn, item: AssistantItem): boolean {
  if (turn.calls.length > 0) return true;
  return item.type === "tool-call" || turn.said === null;
}

function addToTurn(turn: Turn, item: AssistantItem): void {
  if (item.type === "reasoning") turn.reasoning.push(item);
  else if (item.type === "tool-call") turn.calls.push(item);
  else {
    turn.name ??= item.name;
    turn.said = [...(turn.said ?? []), ...item.parts];
  }
}

function encodeTurn(turn: Turn, history: ReasoningHistory, losses: Set<Loss>): object {
  return {
    role: "assistant",
    ...(turn.name === null ? {} : { name: turn.name }),
    content: turn.said === null ? null : encodeParts(turn.said, losses),
    ...encodeReasoningHistory(turn.reasoning, history, losses),
    ...(turn.calls.length === 0 ? {} : { tool_calls: turn.calls.map(encodeCall) }),
  };
}

function encodeCall(call: ToolCall): object {
  const args = call.arguments === "" ? "{}" : call.arguments;
  return { id: call.callId, type: "function", function: { name: call.name, arguments: args } };
}

function encodeMessage(item: Extract<OtherItem, { readonly type: "message" }>, losses: Set<Loss>): object {
  return {
    role: item.role,
    ...(item.name === null ? {} : { name: item.name }),
    content: encodeParts(item.parts, losses),
  };
}

function encodeResult(item: Extract<OtherItem, { readonly type: "tool-result" }>, losses: Set<Loss>): object {
  const media = item.parts.find((part) => part.type !== "text");
  if (media !== undefined) {
    throw new HeadgateError(
      "unsupported_parameter",
      `The result of the tool call ${item.callId} holds a part of the type ${media.type}; the chat completions API takes only text there. Send the part in a user message.`,
      { param: "messages" },
    );
  }
  if (item.isError) losses.add("is_error");
  return { role: "tool", tool_call_id: item.callId, content: encodeParts(item.parts, losses) };
}
