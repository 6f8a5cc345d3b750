/**
 * Canonical items as messages. Reasoning, what the assistant said, and its tool calls become one message of the
 * assistant, as long as nobody else speaks between them: this dialect wants the results right after the message
 * that made the calls.
 *
 * A tool's result is text here. Images and files that one holds are emulated: the user shows them after the last result
 * in a row, at the head of what else the user says, and that is reported. A final message of the assistant, which asks
 * that the answer go on from it, is refused: models of this dialect would answer anew.
 */
import type { Item, Part } from "../../canonical.ts";
import type { Loss, Quirks } from "../../dialect.ts";
import type { ReasoningItem } from "../reasoning-details.ts";
import { encodeParts, spellOut } from "./parts.ts";
import { encodeReasoningHistory } from "./reasoning-history.ts";
import { unsupported } from "./refusal.ts";

type ReasoningHistory = NonNullable<Quirks["reasoningHistory"]>;
type ToolCall = Extract<Item, { readonly type: "tool-call" }>;

/** The assistant's message that is being put together. */
interface Turn {
  name: string | null;
  readonly reasoning: ReasoningItem[];
  said: Part[] | null;
  readonly calls: ToolCall[];
}

/** Throws `unsupported_parameter`. */
export function encodeMessages(items: readonly Item[], history: ReasoningHistory, losses: Set<Loss>): object[] {
  refusePrefill(items.at(-1));
  const messages: object[] = [];
  let turn: Turn | null = null;
  // What tools returned besides text since anybody else spoke.
  let returned: Part[] = [];
  const closeTurn = (): void => {
    if (turn !== null) messages.push(encodeTurn(turn, history, losses));
    turn = null;
  };
  const show = (more: readonly Part[] = []): void => {
    if (returned.length > 0) messages.push({ role: "user", content: encodeParts([...returned, ...more], losses) });
    returned = [];
  };
  for (const item of items) {
    if (belongsToAssistant(item)) {
      show();
      if (turn !== null && !continues(turn, item)) closeTurn();
      turn ??= { name: null, reasoning: [], said: null, calls: [] };
      addToTurn(turn, item);
      continue;
    }
    closeTurn();
    if (item.type === "tool-result") {
      messages.push(encodeResult(item, returned, losses));
    } else if (returned.length > 0 && item.role === "user" && item.name === null) {
      show(item.parts);
    } else {
      show();
      messages.push(encodeMessage(item, losses));
    }
  }
  closeTurn();
  show();
  return messages;
}

function refusePrefill(last: Item | undefined): void {
  if (last?.type !== "message" || last.role !== "assistant") return;
  throw unsupported(
    "messages",
    "The last message is the assistant's, for the answer to go on from. The model is served through the chat completions API, where it would answer anew. End with a message of the user, or ask for a model whose provider takes the beginning of an answer.",
  );
}

type Message = Extract<Item, { readonly type: "message" }>;
type ToolResult = Extract<Item, { readonly type: "tool-result" }>;
type AssistantItem = (Message & { readonly role: "assistant" }) | ReasoningItem | ToolCall;

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
    content: turn.said !== null ? encodeParts(turn.said, losses) : turn.calls.length > 0 ? null : "",
    ...encodeReasoningHistory(turn.reasoning, history, losses),
    ...(turn.calls.length === 0 ? {} : { tool_calls: turn.calls.map(encodeCall) }),
  };
}

function encodeCall(call: ToolCall): object {
  const args = call.arguments === "" ? "{}" : call.arguments;
  return { id: call.callId, type: "function", function: { name: call.name, arguments: args } };
}

function encodeMessage(item: Message, losses: Set<Loss>): object {
  return {
    role: item.role,
    ...(item.name === null ? {} : { name: item.name }),
    content: encodeParts(item.parts, losses),
  };
}

/** Text stays; what the user has to show goes to `returned`. */
function encodeResult(item: ToolResult, returned: Part[], losses: Set<Loss>): object {
  if (item.isError) losses.add("is_error");
  const parts = item.parts.map((part) => spellOut(part, losses));
  const texts = parts.filter((part) => part.type === "text");
  const media = parts.filter((part) => part.type !== "text");
  if (media.length > 0) {
    losses.add("tool_result.content");
    texts.push({ type: "text", text: "(The user shows the rest of the result in the next message.)" });
    returned.push({ type: "text", text: `Of the result of the tool call ${item.callId}:` }, ...media);
  }
  return { role: "tool", tool_call_id: item.callId, content: encodeParts(texts, losses) };
}
