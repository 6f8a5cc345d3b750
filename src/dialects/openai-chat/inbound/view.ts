/**
 * The narrow view of a chat completion request: the fields the gateway itself relies on are checked, everything else
 * is left to the provider, so that what is new to us passes through.
 *
 * Wire facts: openai-node, `ChatCompletionCreateParams`.
 */
import type { Needs, RequestView } from "../../dialect.ts";
import type { JsonDocument } from "../../../kernel/json-document.ts";
import { readEndUser } from "../../request-fields/end-user.ts";
import {
  readArray,
  readFlag,
  readNumber,
  readObject,
  readPositive,
  readText,
  requireObject,
  type Fields,
} from "../../request-fields/fields.ts";
import { readMessages, requireMessage } from "../../request-fields/messages.ts";
import { invalid, missing } from "../../request-fields/refusals.ts";

const CHOICES_MAX = 128;
/** Above what any model can give: a bound that is no bound would be held for in full. */
const OUTPUT_BOUND_MAX = 10_000_000;
/** "Until the model stops", as LM Studio and llama.cpp take it. */
const UNBOUNDED = -1;
/** Roles whose messages must say something. */
const speaking: ReadonlySet<unknown> = new Set(["developer", "system", "user", "tool"]);

type Wanted = { -readonly [Name in keyof Needs]: Needs[Name] };

/** Throws `missing_field` or `invalid_value` naming the field, e.g. `messages[2].content`. */
export function viewRequest(document: JsonDocument): RequestView {
  const root = document.root;
  const model = readText(root, "model");
  if (model === null) throw missing("model");
  if (model === "") throw invalid("model", "the name of a model, not an empty string");
  const choices = readPositive(root, "n", CHOICES_MAX) ?? 1;
  const needs: Wanted = {
    tools: false,
    parallelTools: readFlag(root, "parallel_tool_calls") !== null,
    images: false,
    audio: false,
    documents: false,
    jsonSchema: readObject(root, "response_format")?.["type"] === "json_schema",
    reasoning: asksForReasoning(root),
    logprobs: readFlag(root, "logprobs") === true,
    choices: choices > 1,
  };
  checkMessages(root, needs);
  checkTools(root, needs);
  checkSampling(root);
  if (readArray(root, "modalities")?.includes("audio") === true) needs.audio = true;
  const streamOptions = readObject(root, "stream_options");
  const user = readEndUser(root, "user");
  return {
    document,
    model,
    stream: readFlag(root, "stream") ?? false,
    endUser: readEndUser(root, "safety_identifier") ?? user,
    maxOutputTokens: readOutputBound(root),
    choices,
    wantsStreamUsage: streamOptions !== null && readFlag(streamOptions, "include_usage", "stream_options.") === true,
    serviceTier: readText(root, "service_tier"),
    needs,
  };
}

/** By `reasoning_effort`, or a vendor's extension of it: `reasoning: {…}`, `thinking: {type: "enabled", …}`. */
function asksForReasoning(root: Fields): boolean {
  const { reasoning_effort: effort, reasoning, thinking } = root;
  if (effort !== undefined && effort !== null) return effort !== "none";
  return isTurnedOn(reasoning, "effort", "none") || isTurnedOn(thinking, "type", "disabled");
}

function isTurnedOn(option: unknown, field: string, off: string): boolean {
  if (typeof option !== "object" || option === null) return false;
  const fields = option as Fields;
  return fields[field] !== off && fields["enabled"] !== false;
}

/** Where both names are given the larger one is held for, whichever the provider obeys. */
function readOutputBound(root: Fields): number | null {
  const current = readBound(root, "max_completion_tokens");
  const legacy = readBound(root, "max_tokens");
  if (current === UNBOUNDED || legacy === UNBOUNDED) return null;
  return current !== null && legacy !== null ? Math.max(current, legacy) : (current ?? legacy);
}

function readBound(root: Fields, name: string): number | null {
  return root[name] === UNBOUNDED ? UNBOUNDED : readPositive(root, name, OUTPUT_BOUND_MAX);
}

function checkSampling(root: Fields): void {
  readNumber(root, "temperature");
  readNumber(root, "top_p");
  const stop = root["stop"];
  if (stop === undefined || stop === null || typeof stop === "string") return;
  if (!Array.isArray(stop) || !stop.every((sequence) => typeof sequence === "string")) {
    throw invalid("stop", "a string or an array of strings");
  }
}

function checkTools(root: Fields, needs: Wanted): void {
  const choice = root["tool_choice"];
  if (choice !== undefined && choice !== null && typeof choice !== "string") requireObject(choice, "tool_choice");
  const tools = readArray(root, "tools");
  tools?.forEach((tool, index) => {
    const fields = requireObject(tool, `tools[${index}]`);
    if (typeof fields["type"] !== "string") throw invalid(`tools[${index}].type`, "a string");
  });
  const functions = readArray(root, "functions");
  if ((tools?.length ?? 0) + (functions?.length ?? 0) > 0) needs.tools = true;
}

function checkMessages(root: Fields, needs: Wanted): void {
  const messages = readMessages(root);
  for (let index = 0; index < messages.length; index++) checkMessage(messages[index], index, needs);
}

function checkMessage(message: unknown, index: number, needs: Wanted): void {
  const fields = requireMessage(message, index);
  const { role } = fields;
  checkContent(fields["content"], !speaking.has(role), index, needs);
  if (role === "tool") {
    needs.tools = true;
    if (typeof fields["tool_call_id"] !== "string") throw invalid(`messages[${index}].tool_call_id`, "a string");
  }
  const calls = fields["tool_calls"];
  if (calls === undefined || calls === null) return;
  if (!Array.isArray(calls)) throw invalid(`messages[${index}].tool_calls`, "an array");
  if (calls.length > 0) needs.tools = true;
}

function checkContent(content: unknown, optional: boolean, index: number, needs: Wanted): void {
  if (typeof content === "string") return;
  if (content === undefined || content === null) {
    if (optional) return;
    throw content === undefined
      ? missing(`messages[${index}].content`)
      : invalid(`messages[${index}].content`, "a string or an array of content parts");
  }
  if (!Array.isArray(content)) throw invalid(`messages[${index}].content`, "a string or an array of content parts");
  for (let position = 0; position < content.length; position++) {
    const part: unknown = content[position];
    const type = typeof part === "object" && part !== null ? (part as Fields)["type"] : undefined;
    if (typeof type !== "string") {
      throw invalid(`messages[${index}].content[${position}]`, "a content part: an object with a type");
    }
    if (type === "image_url") needs.images = true;
    else if (type === "input_audio") needs.audio = true;
    else if (type === "file") needs.documents = true;
  }
}
