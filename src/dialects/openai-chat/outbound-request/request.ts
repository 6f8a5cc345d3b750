/**
 * A canonical request as a chat completion request (openai-node, `ChatCompletionCreateParams`).
 *
 * Fields that other dialects of OpenAI's family share with this one by name and meaning are carried from `foreign`;
 * any other foreign field is refused, because what it asks for is not known to be immaterial.
 */
import { HeadgateError } from "../../../kernel/errors.ts";
import type { CanonicalRequest, OutputFormat, Tool, ToolChoice } from "../../canonical.ts";
import type { EncodedRequest, Loss, TargetFacts } from "../../dialect.ts";
import { encodeMessages } from "./messages.ts";

const carried: ReadonlySet<string> = new Set([
  "audio",
  "frequency_penalty",
  "logit_bias",
  "logprobs",
  "metadata",
  "modalities",
  "moderation",
  "prediction",
  "presence_penalty",
  "prompt_cache_key",
  "prompt_cache_options",
  "prompt_cache_retention",
  "seed",
  "store",
  "top_logprobs",
  "verbosity",
  "web_search_options",
]);

/** Throws `unsupported_parameter`. */
export function encodeRequest(request: CanonicalRequest, target: TargetFacts): EncodedRequest {
  const losses = new Set<Loss>();
  const { quirks } = target;
  const body: Record<string, unknown> = {
    model: target.model,
    messages: encodeMessages(request.items, quirks.reasoningHistory ?? "none", losses),
  };
  if (request.stream) {
    body["stream"] = true;
    if ((quirks.streamUsage ?? "stream_options") === "stream_options") body["stream_options"] = { include_usage: true };
  }
  if (request.tools.length > 0) body["tools"] = request.tools.map(encodeTool);
  if (request.toolChoice !== null) body["tool_choice"] = encodeToolChoice(request.toolChoice);
  if (request.stop.length > 0) body["stop"] = request.stop;
  if (request.outputFormat !== null) body["response_format"] = encodeFormat(request.outputFormat);
  setGiven(body, quirks.outputBoundField ?? "max_completion_tokens", request.maxOutputTokens);
  setGiven(body, "parallel_tool_calls", request.parallelToolCalls);
  setGiven(body, "temperature", request.temperature);
  setGiven(body, "top_p", request.topP);
  setGiven(body, "top_k", request.topK);
  setGiven(body, "reasoning_effort", encodeEffort(request.reasoning, losses));
  setGiven(body, "user", request.endUser);
  setGiven(body, "service_tier", request.serviceTier);
  carryForeign(request.foreign, body);
  return { body: Buffer.from(JSON.stringify(body)), losses: [...losses] };
}

function setGiven(body: Record<string, unknown>, name: string, value: unknown): void {
  if (value !== null) body[name] = value;
}

function encodeTool(tool: Tool): object {
  return {
    type: "function",
    function: {
      name: tool.name,
      ...(tool.description === null ? {} : { description: tool.description }),
      ...(tool.parameters === null ? {} : { parameters: tool.parameters }),
      ...(tool.strict === null ? {} : { strict: tool.strict }),
    },
  };
}

function encodeToolChoice(choice: ToolChoice): unknown {
  switch (choice.mode) {
    case "named":
      return { type: "function", function: { name: choice.name } };
    case "allowed": {
      const tools = choice.names.map((name) => ({ type: "function", function: { name } }));
      return { type: "allowed_tools", allowed_tools: { mode: choice.required ? "required" : "auto", tools } };
    }
    default:
      return choice.mode;
  }
}

function encodeFormat(format: OutputFormat): object {
  switch (format.type) {
    case "text":
      return { type: "text" };
    case "json-object":
      return { type: "json_object" };
    case "json-schema":
      return {
        type: "json_schema",
        json_schema: {
          name: format.name,
          ...(format.description === null ? {} : { description: format.description }),
          schema: format.schema,
          ...(format.strict === null ? {} : { strict: format.strict }),
        },
      };
  }
}

/** A budget without an effort becomes the level whose usual share of thinking it is, and is reported. */
function encodeEffort(reasoning: CanonicalRequest["reasoning"], losses: Set<Loss>): string | null {
  if (reasoning === null) return null;
  const { effort, budgetTokens } = reasoning;
  if (budgetTokens === null) return effort;
  losses.add("thinking.budget_tokens");
  if (effort !== null) return effort;
  if (budgetTokens <= 4_096) return "low";
  return budgetTokens <= 16_384 ? "medium" : "high";
}

function carryForeign(foreign: Readonly<Record<string, unknown>>, body: Record<string, unknown>): void {
  for (const name of Object.keys(foreign)) {
    if (!carried.has(name)) {
      throw new HeadgateError(
        "unsupported_parameter",
        `The model is served through the chat completions API, which has no counterpart of \`${name}\`. Leave the field out, or ask for a model whose provider has it.`,
        { param: name },
      );
    }
    body[name] = foreign[name];
  }
}
