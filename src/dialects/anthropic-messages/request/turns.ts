/**
 * Lays a conversation out as the Messages API wants it: system text apart, user and assistant taking turns.
 *
 * - System and developer text before the first turn becomes the top-level `system` blocks, in order and number.
 * - Later system text stays where it was said. Models that take a turn of the role `system` get one where the API
 *   allows it (after a user turn, before an assistant turn or at the end); elsewhere the text is emulated in place, as
 *   user text between <system> tags, and reported. It is never moved to the front: that would change what came first.
 *   A conversation of system text only is emulated the same way, because the API demands a turn.
 * - Neighbours of one role share a turn. In a user turn the tool results come first, as the API demands.
 * - Reasoning returns as the blocks it came in, if this dialect issued it; any other is left out and reported.
 *
 * Order within an assistant turn is kept as the model made it: thinking blocks must be replayed unmodified.
 */
import type { Item } from "../../canonical.ts";
import { encodeCallId } from "../call-id.ts";
import { opaqueKinds } from "../response.ts";
import { encodeContent, encodeText, type Tracking } from "./blocks.ts";
import { parseExactJson } from "../../exact-json.ts";
import { takesSystemTurns } from "./model-name.ts";
import { invalid, unsupported } from "./refusal.ts";
import type { Block, TextBlock, Turn } from "./wire.ts";

interface OpenTurn {
  readonly role: Turn["role"];
  readonly content: Block[];
}

export interface Conversation {
  readonly system: readonly TextBlock[];
  readonly turns: readonly Turn[];
}

export function encodeConversation(items: readonly Item[], model: string, tracking: Tracking): Conversation {
  const system: TextBlock[] = [];
  const turns: OpenTurn[] = [];
  for (const item of items) {
    const role = roleOf(item);
    const blocks = encodeItem(item, tracking);
    if (role === "system" && turns.length === 0) system.push(...(blocks as TextBlock[]));
    else append(turns, role, blocks);
  }
  if (turns.length === 0 && system.length > 0) {
    tracking.losses.add("messages.role=system");
    return { system: [], turns: [{ role: "user", content: system.map(asTaggedText) }] };
  }
  if (turns.length === 0) {
    throw invalid("messages", "The conversation has no user or assistant message with content. Send at least one.");
  }
  const settled = settleSystemTurns(turns, takesSystemTurns(model), tracking);
  return { system, turns: settled.map(withToolResultsFirst) };
}

/** Whether the last answer called tools without thinking first, and the results of those calls are what comes next. */
export function resumesWithoutThinking(turns: readonly Turn[]): boolean {
  const last = turns.findLastIndex((turn) => turn.role === "assistant");
  const first = turns[last]?.content[0];
  if (first === undefined || first.type === "thinking" || first.type === "redacted_thinking") return false;
  return turns.slice(last + 1).some((turn) => turn.content.some((block) => block.type === "tool_result"));
}

function roleOf(item: Item): Turn["role"] {
  if (item.type === "tool-result") return "user";
  if (item.type !== "message") return "assistant";
  return item.role === "developer" ? "system" : item.role;
}

function append(turns: OpenTurn[], role: Turn["role"], blocks: readonly Block[]): void {
  if (blocks.length === 0) return;
  const last = turns.at(-1);
  if (last?.role === role) last.content.push(...blocks);
  else turns.push({ role, content: [...blocks] });
}

function encodeItem(item: Item, tracking: Tracking): Block[] {
  switch (item.type) {
    case "message":
      if (item.name !== null) tracking.losses.add("messages.name");
      return item.role === "user" ? encodeContent(item.parts, tracking) : encodeText(item.parts, item.role, tracking);
    case "reasoning":
      return encodeReasoning(item, tracking);
    case "tool-call":
      return [{ type: "tool_use", id: encodeCallId(item.callId), name: item.name, input: parseArguments(item) }];
    case "tool-result": {
      const content = encodeContent(item.parts, tracking);
      return [
        {
          type: "tool_result",
          tool_use_id: encodeCallId(item.callId),
          ...(content.length === 0 ? {} : { content }),
          ...(item.isError ? { is_error: true } : {}),
        },
      ];
    }
  }
}

function encodeReasoning(item: Item & { type: "reasoning" }, tracking: Tracking): Block[] {
  const blocks: Block[] = [];
  let text = item.text;
  for (const opaque of item.opaque) {
    if (opaque.origin !== "anthropic-messages") continue;
    if (opaque.kind === opaqueKinds.redacted) blocks.push({ type: "redacted_thinking", data: opaque.value });
    if (opaque.kind === opaqueKinds.signature) {
      blocks.push({ type: "thinking", thinking: text, signature: opaque.value });
      text = "";
    }
  }
  if (text !== "" || blocks.length < item.opaque.length) tracking.losses.add("reasoning");
  return blocks;
}

function parseArguments(item: Item & { type: "tool-call" }): unknown {
  if (item.arguments.trim() === "") return {};
  let input: unknown;
  try {
    input = parseExactJson(item.arguments);
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError)) throw thrown;
    throw invalidArguments(item, "are not valid JSON");
  }
  if (typeof input !== "object" || input === null || Array.isArray(input))
    throw invalidArguments(item, "are not a JSON object");
  return input;
}

function invalidArguments(item: Item & { type: "tool-call" }, what: string): Error {
  return invalid(
    "messages.tool_calls.function.arguments",
    `The arguments of the tool call ${item.callId} (${item.name}) ${what}. Send them as the model wrote them, or leave the call and its result out.`,
  );
}

function settleSystemTurns(turns: readonly OpenTurn[], native: boolean, tracking: Tracking): OpenTurn[] {
  const settled: OpenTurn[] = [];
  for (const [index, turn] of turns.entries()) {
    const next = turns[index + 1];
    const placed = settled.at(-1)?.role === "user" && (next === undefined || next.role === "assistant");
    if (turn.role !== "system" || (native && placed)) {
      append(settled, turn.role, turn.content);
      continue;
    }
    tracking.losses.add("messages.role=system");
    append(settled, "user", turn.content.map(asTaggedText));
  }
  return settled;
}

function asTaggedText(block: Block): Block {
  if (block.type !== "text") throw unsupported("messages", "System messages take only text.");
  return { ...block, text: `<system>\n${block.text}\n</system>` };
}

function withToolResultsFirst(turn: OpenTurn): Turn {
  if (turn.role !== "user") return turn;
  const results = turn.content.filter((block) => block.type === "tool_result");
  if (results.length === 0) return turn;
  return { role: "user", content: [...results, ...turn.content.filter((block) => block.type !== "tool_result")] };
}
