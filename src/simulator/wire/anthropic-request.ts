/** Reads Messages requests, as strictly as the simulator's own behaviour needs, with Anthropic's own sentences. */
import { countText, type Ask, type OfferedTool } from "../answer/answer.ts";
import { isSignatureOf } from "./signature.ts";
import { isObject, Refusal, type Reading } from "./wire.ts";

const MESSAGE_TOKENS = 3;
const MEDIA_TOKENS = 85;

type Json = Readonly<Record<string, unknown>>;

/** Field names as in the API reference of `POST /v1/messages`. Throws `Refusal`. */
export function readMessagesRequest(
  json: Json,
  headers: Readonly<Record<string, string | string[] | undefined>>,
  seed: number,
): Reading {
  if (headers["anthropic-version"] === undefined) throw new Refusal(400, "anthropic-version: header is required");
  const maxTokens = json["max_tokens"];
  if (maxTokens === undefined) throw new Refusal(400, "max_tokens: Field required");
  if (typeof maxTokens !== "number" || !Number.isInteger(maxTokens))
    throw new Refusal(400, "max_tokens: Input should be a valid integer");
  if (maxTokens < 1) throw new Refusal(400, "max_tokens: Input should be greater than or equal to 1");
  const messages = json["messages"];
  if (!Array.isArray(messages)) throw new Refusal(400, "messages: Field required");
  if (messages.length === 0) throw new Refusal(400, "messages: at least one message is required");
  const tools = readTools(json["tools"]);
  const toolUse = readToolChoice(json["tool_choice"]);
  const thinking = readThinking(json["thinking"], maxTokens);
  if (thinking && (toolUse === "required" || typeof toolUse === "object")) {
    throw new Refusal(400, "Thinking may not be enabled when tool_choice forces tool use.");
  }
  const said = readMessages(messages, seed);
  const system = textOf(json["system"]);
  const ask: Ask = {
    userText: said.userText,
    toolResults: said.toolResults,
    tools,
    toolUse,
    parallelTools: !(isObject(json["tool_choice"]) && json["tool_choice"]["disable_parallel_tool_use"] === true),
    schema: readSchema(json),
    maxTokens,
    choices: 1,
    inputTokens:
      said.inputTokens + countText(system) + (tools.length > 0 ? countText(JSON.stringify(json["tools"])) : 0),
    thinking,
  };
  return { ask, stream: json["stream"] === true, streamUsage: true, padding: false, showReasoning: true };
}

function readMessages(
  messages: readonly unknown[],
  seed: number,
): { userText: string; toolResults: string[]; inputTokens: number } {
  let userText = "";
  let toolResults: string[] = [];
  let inputTokens = 0;
  messages.forEach((message: unknown, index) => {
    if (!isObject(message) || (message["role"] !== "user" && message["role"] !== "assistant")) {
      throw new Refusal(400, `messages.${index}.role: Input should be 'user' or 'assistant'`);
    }
    const content = message["content"];
    if (typeof content !== "string" && !Array.isArray(content))
      throw new Refusal(400, `messages.${index}.content: Field required`);
    const text = textOf(content);
    const blocks: readonly unknown[] = Array.isArray(content) ? content : [];
    inputTokens += MESSAGE_TOKENS + countText(text);
    toolResults = [];
    blocks.forEach((block, position) => {
      if (!isObject(block)) throw new Refusal(400, `messages.${index}.content.${position}: Input should be an object`);
      if (block["type"] === "thinking") checkThinking(block, `messages.${index}.content.${position}`, seed);
      if (block["type"] === "tool_result") toolResults.push(textOf(block["content"]));
      inputTokens += countBlock(block);
    });
    if (message["role"] === "user" && text !== "") userText = text;
  });
  return { userText, toolResults, inputTokens };
}

function checkThinking(block: Json, path: string, seed: number): void {
  const thinking = typeof block["thinking"] === "string" ? block["thinking"] : "";
  if (!isSignatureOf(thinking, block["signature"], seed))
    throw new Refusal(400, `${path}: Invalid \`signature\` in \`thinking\` block`);
}

function countBlock(block: Json): number {
  switch (block["type"]) {
    case "text":
    case "thinking":
      return 0;
    case "tool_result":
      return countText(textOf(block["content"]));
    case "tool_use":
      return countText(JSON.stringify(block["input"] ?? {}));
    default:
      return MEDIA_TOKENS;
  }
}

function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  let text = "";
  for (const block of content as unknown[])
    if (isObject(block) && block["type"] === "text" && typeof block["text"] === "string") text += block["text"];
  return text;
}

function readTools(value: unknown): OfferedTool[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((tool: unknown) =>
    isObject(tool) && typeof tool["name"] === "string" && isObject(tool["input_schema"])
      ? [{ name: tool["name"], parameters: tool["input_schema"] }]
      : [],
  );
}

function readToolChoice(value: unknown): Ask["toolUse"] {
  if (!isObject(value)) return "auto";
  if (value["type"] === "none") return "none";
  if (value["type"] === "any") return "required";
  return value["type"] === "tool" && typeof value["name"] === "string" ? { name: value["name"] } : "auto";
}

function readThinking(value: unknown, maxTokens: number): boolean {
  if (!isObject(value)) return false;
  if (value["type"] === "adaptive") return true;
  if (value["type"] !== "enabled") return false;
  const budget = value["budget_tokens"];
  if (typeof budget !== "number") throw new Refusal(400, "thinking.enabled.budget_tokens: Field required");
  if (budget < 1024)
    throw new Refusal(400, "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024");
  if (budget >= maxTokens) throw new Refusal(400, "`max_tokens` must be greater than `thinking.budget_tokens`.");
  return true;
}

/** `output_config.format`, and its older name `output_format`. */
function readSchema(json: Json): unknown {
  const format = isObject(json["output_config"]) ? json["output_config"]["format"] : json["output_format"];
  return isObject(format) && format["type"] === "json_schema" ? (format["schema"] ?? {}) : null;
}
