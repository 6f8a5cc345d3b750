/**
 * What models are known not to do, as data: requests that need it go elsewhere. All rules that fit a model's name count.
 * A wrong rule keeps a model from what it can do, while of one that is missing the provider tells by itself; so a rule
 * stands here only for what a whole API refuses, or for models of the past, whose names are a closed list.
 */
import type { Needs } from "../../dialects/dialect.ts";

export interface LackingRule {
  readonly models: RegExp;
  readonly lacks: readonly (keyof Needs)[];
}

const every = /^/;

/**
 * Messages has neither audio nor log probabilities (https://docs.anthropic.com/en/api/openai-sdk). Thinking begins with
 * Claude 3.7 (page "Extended thinking"), structured outputs with the generation 4.5 and Opus 4.1 ("Structured outputs").
 */
const anthropicRules: readonly LackingRule[] = [
  { models: every, lacks: ["audio", "logprobs"] },
  { models: /^claude-(?:instant|2)/, lacks: ["tools", "images", "documents"] },
  { models: /^claude-(?:instant|2|3-(?:haiku|opus|sonnet|5))/, lacks: ["reasoning"] },
  { models: /^claude-(?:instant|2|3-|(?:opus|sonnet)-4-(?:0|2025))/, lacks: ["jsonSchema"] },
];

/**
 * Each model's page below https://platform.openai.com/docs/models, and what the API answers: "Unrecognized request
 * argument supplied: reasoning_effort" of models that do not reason, "Unsupported parameter: 'parallel_tool_calls'" and
 * the same of log probabilities of the o series. Structured outputs begin with gpt-4o-2024-08-06 (guide "Structured
 * outputs").
 */
const openAiRules: readonly LackingRule[] = [
  { models: /^(?!.*audio)(?:gpt-3\.5|gpt-4|o1|o3|o4)/, lacks: ["audio"] },
  { models: /^(?:gpt-3\.5|gpt-4-32k|gpt-4(?:-\d{4})?$|o1-mini|o1-preview|o3-mini)/, lacks: ["images", "documents"] },
  { models: /^(?:gpt-3\.5|gpt-4|chatgpt-4o)/, lacks: ["reasoning"] },
  { models: /^(?:gpt-3\.5|gpt-4(?![.o])|gpt-4o-2024-05-13|o1-mini|o1-preview)/, lacks: ["jsonSchema"] },
  { models: /^(?:o1|o3|o4)/, lacks: ["parallelTools", "logprobs"] },
  { models: /^(?:o1-mini|o1-preview)/, lacks: ["tools", "reasoning"] },
];

/** "Unknown variant `image_url`, expected `text`": parts of messages are text. */
const deepseekRules: readonly LackingRule[] = [
  { models: /^deepseek-(?:chat|reasoner|v3|v4)/, lacks: ["images", "audio", "documents"] },
];

/** "Will result in a 400 error": `logprobs`; "if N is supplied, it must be equal to 1" (https://console.groq.com/docs/openai). */
const groqRules: readonly LackingRule[] = [{ models: every, lacks: ["logprobs", "choices"] }];

export const lackingRules: ReadonlyMap<string, readonly LackingRule[]> = new Map([
  ["anthropic", anthropicRules],
  ["openai", openAiRules],
  ["deepseek", deepseekRules],
  ["groq", groqRules],
]);
