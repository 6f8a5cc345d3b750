/**
 * A canonical request as a chat completion request (openai-node, `ChatCompletionCreateParams`). The parts with rules of
 * their own stand beside this file: messages, parts, reasoning-history, foreign. What only some providers take (`top_k`, a
 * document by URL, more than four stop sequences) is carried, and one that refuses it says so itself.
 */
import { createHash } from "node:crypto";
import type { CanonicalRequest, OutputFormat, Tool, ToolChoice } from "../../canonical.ts";
import type { EncodedRequest, Loss, TargetFacts } from "../../dialect.ts";
import { carryForeignFields } from "./foreign.ts";
import { encodeMessages } from "./messages.ts";

/** OpenAI refuses longer names of end users; Claude Code sends some of twice the length. */
const END_USER_CHARS_MAX = 64;

/** How much a model thinks that is to think without a word on how much: what OpenAI's do of themselves. */
const DEFAULT_EFFORT = "medium";

/** Throws `unsupported_parameter`. */
export function encodeRequest(request: CanonicalRequest, target: TargetFacts): EncodedRequest {
  const losses = new Set<Loss>();
  const { quirks } = target;
  const body: Record<string, unknown> = {
    model: target.model,
    messages: encodeMessages(request.items, quirks.reasoningHistory ?? "none", losses),
    ...carryForeignFields(request.foreign, losses),
  };
  if (request.stream) {
    body["stream"] = true;
    if ((quirks.streamUsage ?? "stream_options") === "stream_options") body["stream_options"] = { include_usage: true };
  }
  encodeTools(request, body);
  if (request.stop.length > 0) body["stop"] = request.stop;
  if (request.outputFormat !== null) body["response_format"] = encodeFormat(request.outputFormat);
  setGiven(body, quirks.outputBoundField ?? "max_completion_tokens", boundOutput(request, target, losses));
  setGiven(body, "temperature", request.temperature);
  setGiven(body, "top_p", request.topP);
  setGiven(body, "top_k", request.topK);
  setGiven(body, "reasoning_effort", encodeEffort(request.reasoning, target, losses));
  setGiven(body, "user", encodeEndUser(request.endUser));
  setGiven(body, "service_tier", request.serviceTier);
  return { body: Buffer.from(JSON.stringify(body)), losses: [...losses] };
}

function setGiven(body: Record<string, unknown>, name: string, value: unknown): void {
  if (value !== null) body[name] = value;
}

/** Dialects that demand a bound get large ones, of which this one refuses what is more than the model writes. */
function boundOutput(
  { maxOutputTokens: asked }: CanonicalRequest,
  { maxOutputTokens: most }: TargetFacts,
  losses: Set<Loss>,
): number | null {
  if (asked === null || most === null || asked <= most) return asked;
  losses.add(`max_tokens=${most}`);
  return most;
}

/** A name that is too long is told apart from others by its hash (SHA-256, in hexadecimal) as well as by itself. */
function encodeEndUser(endUser: string | null): string | null {
  if (endUser === null || endUser.length <= END_USER_CHARS_MAX) return endUser;
  return createHash("sha256").update(endUser).digest("hex");
}

/** A choice among no tools asks for nothing, unless it demands a call, and OpenAI refuses it. */
function encodeTools({ tools, toolChoice, parallelToolCalls }: CanonicalRequest, body: Record<string, unknown>): void {
  if (tools.length === 0) {
    const isNeutral = toolChoice === null || toolChoice.mode === "auto" || toolChoice.mode === "none";
    if (!isNeutral) body["tool_choice"] = encodeToolChoice(toolChoice);
    return;
  }
  body["tools"] = tools.map(encodeTool);
  if (toolChoice !== null) body["tool_choice"] = encodeToolChoice(toolChoice);
  setGiven(body, "parallel_tool_calls", parallelToolCalls);
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

/**
 * A budget without an effort becomes the level whose usual share of thinking it is, and is reported. Not to think is not
 * said to a model that is known not to: it would refuse the field.
 */
function encodeEffort(
  reasoning: CanonicalRequest["reasoning"],
  { lacks }: TargetFacts,
  losses: Set<Loss>,
): string | null {
  if (reasoning === null) return null;
  const { effort, budgetTokens } = reasoning;
  if (effort === "none" && lacks?.includes("reasoning") === true) return null;
  if (budgetTokens === null) return effort ?? DEFAULT_EFFORT;
  losses.add("thinking.budget_tokens");
  if (effort !== null) return effort;
  if (budgetTokens <= 4_096) return "low";
  return budgetTokens <= 16_384 ? "medium" : "high";
}
