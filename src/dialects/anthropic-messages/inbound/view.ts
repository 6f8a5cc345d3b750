/**
 * The narrow view of a Messages request: the fields the gateway itself relies on are checked, everything else is left
 * to the provider, so that what is new to us passes through.
 *
 * Wire facts: `MessageCreateParams` in anthropic-sdk-typescript, resources/messages/messages.ts. Usage is part of every
 * stream of this API, and it gives one answer a call.
 */
import type { JsonDocument } from "../../../kernel/json-document.ts";
import type { Needs, RequestView } from "../../dialect.ts";
import { readEndUser } from "../../request-fields/end-user.ts";
import {
  readArray,
  readFlag,
  readNumber,
  readObject,
  readText,
  requireObject,
  type Fields,
} from "../../request-fields/fields.ts";
import { readMessages, requireMessage } from "../../request-fields/messages.ts";
import { readPricedTier } from "../priced-tier.ts";
import { invalid, missing, unsupported } from "../../request-fields/refusals.ts";

/** Above what any model can give: a bound that is no bound would be held for in full. */
const OUTPUT_BOUND_MAX = 10_000_000;

type Wanted = { -readonly [Name in keyof Needs]: Needs[Name] };

/** Throws `missing_field` or `invalid_value` naming the field, e.g. `messages[2].content[0].type`. */
export function viewRequest(document: JsonDocument): RequestView {
  const view = viewPrompt(document);
  const maxOutputTokens = readOutputBound(document.root);
  if (maxOutputTokens === null) throw missing("max_tokens");
  return { ...view, maxOutputTokens };
}

/** The same of a request that only asks how long its prompt is, which need not bound the answer. */
export function viewPrompt(document: JsonDocument): RequestView {
  const root = document.root;
  const model = readText(root, "model");
  if (model === null) throw missing("model");
  if (model === "") throw invalid("model", "the name of a model, not an empty string");
  const choice = readObject(root, "tool_choice");
  const needs: Wanted = {
    tools: false,
    parallelTools: choice !== null && readFlag(choice, "disable_parallel_tool_use", "tool_choice.") === true,
    images: false,
    audio: false,
    documents: false,
    jsonSchema: asksForSchema(root),
    reasoning: asksForReasoning(root),
    logprobs: false,
    choices: false,
  };
  refuseThread(root);
  checkSystem(root);
  checkMessages(root, needs);
  checkTools(root, needs);
  checkSampling(root);
  const metadata = readObject(root, "metadata");
  return {
    document,
    model,
    stream: readFlag(root, "stream") ?? false,
    endUser: metadata === null ? null : readEndUser(metadata, "user_id", "metadata."),
    maxOutputTokens: readOutputBound(root),
    ...leastOutput(root),
    choices: 1,
    wantsStreamUsage: true,
    serviceTier: readServiceTier(root),
    needs,
  };
}

/** `output_config.format`, or `output_format`, which was its name before. */
function asksForSchema(root: Fields): boolean {
  const config = readObject(root, "output_config");
  const format = (config === null ? null : readObject(config, "format", "output_config.")) ?? root["output_format"];
  return (format as Fields | null | undefined)?.["type"] === "json_schema";
}

/** An effort alone asks a model to think, too, if it is one that thinks. */
function asksForReasoning(root: Fields): boolean {
  const thinking = readObject(root, "thinking");
  if (thinking !== null) return thinking["type"] !== "disabled";
  return (readObject(root, "output_config")?.["effort"] ?? null) !== null;
}

function readServiceTier(root: Fields): string | null {
  readText(root, "service_tier");
  return readPricedTier(root);
}

/** A thinking budget is less than `max_tokens`, of which thinking is a part. */
function leastOutput(root: Fields): { readonly leastOutputTokens?: number } {
  const budget = readObject(root, "thinking")?.["budget_tokens"];
  return typeof budget === "number" && Number.isSafeInteger(budget) ? { leastOutputTokens: budget + 1 } : {};
}

/** 0 is a bound: it asks for nothing but that the prompt be cached. */
function readOutputBound(root: Fields): number | null {
  const bound = readNumber(root, "max_tokens", [0, OUTPUT_BOUND_MAX]);
  if (bound !== null && !Number.isInteger(bound)) throw invalid("max_tokens", "a whole number");
  return bound;
}

function checkSampling(root: Fields): void {
  readNumber(root, "temperature");
  readNumber(root, "top_p");
  readNumber(root, "top_k");
  const sequences = readArray(root, "stop_sequences");
  if (sequences?.every((sequence) => typeof sequence === "string") === false) {
    throw invalid("stop_sequences", "an array of strings");
  }
}

function checkTools(root: Fields, needs: Wanted): void {
  const tools = readArray(root, "tools");
  if (tools === null) return;
  for (let index = 0; index < tools.length; index++) requireObject(tools[index], `tools[${index}]`);
  if (tools.length > 0) needs.tools = true;
}

/** What a provider keeps of a conversation is out of sight: neither its length nor who else could go on with it is known. */
function refuseThread({ thread }: Fields): void {
  if (thread === undefined || thread === null) return;
  throw unsupported("thread", "The gateway takes no threads. Send the whole conversation in messages.");
}

function checkSystem({ system }: Fields): void {
  if (system === undefined || system === null || typeof system === "string") return;
  if (!Array.isArray(system)) throw invalid("system", "a string or an array of text blocks");
  for (let index = 0; index < system.length; index++) typeOf(system[index], "system", index);
}

function checkMessages(root: Fields, needs: Wanted): void {
  const messages = readMessages(root);
  for (let index = 0; index < messages.length; index++) checkMessage(messages[index], index, needs);
}

function checkMessage(message: unknown, index: number, needs: Wanted): void {
  const { content } = requireMessage(message, index);
  if (typeof content === "string") return;
  if (content === undefined) throw missing(`messages[${index}].content`);
  if (!Array.isArray(content)) throw invalid(`messages[${index}].content`, "a string or an array of content blocks");
  checkBlocks(content as readonly unknown[], `messages[${index}].content`, needs);
}

function checkBlocks(blocks: readonly unknown[], path: string, needs: Wanted): void {
  for (let index = 0; index < blocks.length; index++) {
    const block = blocks[index];
    switch (typeOf(block, path, index)) {
      case "image":
        needs.images = true;
        break;
      case "document":
        needs.documents = true;
        break;
      case "tool_use":
        needs.tools = true;
        break;
      case "tool_result":
        needs.tools = true;
        checkResult((block as Fields)["content"], `${path}[${index}].content`, needs);
        break;
    }
  }
}

function checkResult(content: unknown, path: string, needs: Wanted): void {
  if (content === undefined || content === null || typeof content === "string") return;
  if (!Array.isArray(content)) throw invalid(path, "a string or an array of content blocks");
  checkBlocks(content as readonly unknown[], path, needs);
}

function typeOf(block: unknown, path: string, index: number): string {
  const type = typeof block === "object" && block !== null ? (block as Fields)["type"] : undefined;
  if (typeof type !== "string") throw invalid(`${path}[${index}]`, "a content block: an object with a type");
  return type;
}
