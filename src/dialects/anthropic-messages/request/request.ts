/**
 * A canonical request as a body of the Messages API. Every field is carried, emulated, reported or refused by name;
 * the parts with rules of their own stand beside this file: turns, blocks, tools, reasoning, foreign.
 *
 * Wire facts: `MessageCreateParams` in anthropic-sdk-typescript, resources/messages/messages.ts. What only some models
 * take (a temperature, a prefilled answer, a forced tool) is carried, and a model that refuses it says so itself.
 */
import type { CanonicalRequest, OutputFormat } from "../../canonical.ts";
import type { EncodedRequest, Loss, TargetFacts } from "../../dialect.ts";
import type { Tracking } from "./blocks.ts";
import { refuseForeignFields } from "./foreign.ts";
import { planReasoning } from "./reasoning.ts";
import { unsupported } from "./refusal.ts";
import { planTools } from "./tools.ts";
import { encodeConversation } from "./turns.ts";

/**
 * `max_tokens` for a model whose maximum nobody told us and a caller who set no bound. The API demands one; every Claude
 * model since generation 4 takes this many. It can cut an answer short, so it is reported like a loss, and an answer
 * that it cuts ends with the reason `length`. The catalogue's or the operator's figure for the model replaces it.
 */
export const ASSUMED_OUTPUT_TOKENS_MAX = 32_000;

export function encodeRequest(request: CanonicalRequest, target: TargetFacts): EncodedRequest {
  const losses = new Set<Loss>();
  refuseForeignFields(request.foreign, losses);
  const tracking: Tracking = { losses, cacheBreakpoints: 0 };
  const { system, turns } = encodeConversation(request.items, target.model, tracking);
  const maxTokens = chooseMaxTokens(request, target, losses);
  const { tools, choice, forced } = planTools(request);
  const { thinking, effort } = planReasoning(request, {
    model: target.model,
    maxTokens,
    turns,
    toolForced: forced,
    losses,
  });
  const format = encodeFormat(request.outputFormat, losses);
  const body = {
    model: target.model,
    max_tokens: maxTokens,
    ...(system.length === 0 ? {} : { system }),
    messages: turns,
    ...(tools.length === 0 ? {} : { tools }),
    ...(choice === null ? {} : { tool_choice: choice }),
    ...(thinking === null ? {} : { thinking }),
    ...(effort === null && format === null
      ? {}
      : { output_config: { ...(effort === null ? {} : { effort }), ...(format === null ? {} : { format }) } }),
    ...encodeSampling(request),
    ...(request.endUser === null ? {} : { metadata: { user_id: request.endUser } }),
    ...encodeServiceTier(request.serviceTier),
    ...(request.stream ? { stream: true } : {}),
  };
  return { body: Buffer.from(JSON.stringify(body)), losses: [...losses] };
}

function chooseMaxTokens(request: CanonicalRequest, target: TargetFacts, losses: Set<Loss>): number {
  const chosen = request.maxOutputTokens ?? target.maxOutputTokens;
  if (chosen !== null) return chosen;
  losses.add(`max_tokens=${ASSUMED_OUTPUT_TOKENS_MAX}`);
  return ASSUMED_OUTPUT_TOKENS_MAX;
}

function encodeSampling(request: CanonicalRequest): Readonly<Record<string, unknown>> {
  const { temperature, topP, topK, stop } = request;
  if (temperature !== null && temperature > 1) {
    throw unsupported(
      "temperature",
      `The Anthropic Messages API takes a temperature from 0 to 1, not ${temperature}. Lower it, or leave it out.`,
    );
  }
  for (const sequence of stop) {
    if (sequence.trim() === "") {
      throw unsupported("stop", "The Anthropic Messages API takes no stop sequence that is empty or only white space.");
    }
  }
  return {
    ...(temperature === null ? {} : { temperature }),
    ...(topP === null ? {} : { top_p: topP }),
    ...(topK === null ? {} : { top_k: topK }),
    ...(stop.length === 0 ? {} : { stop_sequences: stop }),
  };
}

/**
 * A JSON object without a schema is refused: the API enforces only a schema whose objects are closed, and a plea in the
 * prompt is not the promise the caller asked for. The description goes into the schema; the name has no place.
 */
function encodeFormat(format: OutputFormat | null, losses: Set<Loss>): Readonly<Record<string, unknown>> | null {
  if (format === null || format.type === "text") return null;
  if (format.type === "json-object") {
    throw unsupported(
      "response_format",
      "The Anthropic Messages API promises JSON only by a schema. Use the type json_schema, with additionalProperties false.",
    );
  }
  losses.add("response_format.json_schema.name");
  // Here a schema is always enforced.
  if (format.strict === false) losses.add("response_format.json_schema.strict");
  if (format.description === null || format.schema["description"] !== undefined) {
    return { type: "json_schema", schema: format.schema };
  }
  return { type: "json_schema", schema: { ...format.schema, description: format.description } };
}

/** `default` is OpenAI's word for the standard tier. Other tiers are a price or a promise that is not to be had here. */
function encodeServiceTier(tier: string | null): { service_tier?: "auto" | "standard_only" } {
  switch (tier) {
    case null:
      return {};
    case "auto":
      return { service_tier: "auto" };
    case "default":
    case "standard_only":
      return { service_tier: "standard_only" };
    default:
      throw unsupported(
        "service_tier",
        `The Anthropic Messages API has no service tier ${JSON.stringify(tier)}. Use auto or default.`,
      );
  }
}
