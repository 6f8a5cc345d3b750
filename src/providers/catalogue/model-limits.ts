/**
 * How much models write at most in one answer, as data. The first row whose provider kind and name prefix fit is
 * taken, so longer prefixes stand before shorter ones. What no row says is unknown, which never excludes a model.
 *
 * Claude: https://platform.claude.com/docs/en/models/overview and each model's page below it; earlier ones from the same
 * pages in their last published form. OpenAI's of the generations before 5: https://platform.openai.com/docs/models and
 * each model's page below it.
 */
export interface OutputLimit {
  readonly prefix: string;
  readonly maxOutputTokens: number;
}

const claudeOutputLimits: readonly OutputLimit[] = [
  { prefix: "claude-opus-4-8", maxOutputTokens: 128_000 },
  { prefix: "claude-opus-4-7", maxOutputTokens: 128_000 },
  { prefix: "claude-opus-4-6", maxOutputTokens: 128_000 },
  { prefix: "claude-opus-4-5", maxOutputTokens: 64_000 },
  { prefix: "claude-opus-4", maxOutputTokens: 32_000 },
  { prefix: "claude-sonnet-4-6", maxOutputTokens: 128_000 },
  { prefix: "claude-sonnet-4", maxOutputTokens: 64_000 },
  { prefix: "claude-haiku-4", maxOutputTokens: 64_000 },
  { prefix: "claude-3-7-sonnet", maxOutputTokens: 64_000 },
  { prefix: "claude-3-5", maxOutputTokens: 8192 },
  { prefix: "claude-3", maxOutputTokens: 4096 },
  { prefix: "claude-2", maxOutputTokens: 4096 },
  { prefix: "claude-fable-5", maxOutputTokens: 128_000 },
  { prefix: "claude-opus-5", maxOutputTokens: 128_000 },
  { prefix: "claude-sonnet-5", maxOutputTokens: 128_000 },
  { prefix: "claude-haiku-5", maxOutputTokens: 128_000 },
];

const openAiOutputLimits: readonly OutputLimit[] = [
  { prefix: "gpt-4.1", maxOutputTokens: 32_768 },
  { prefix: "gpt-4o-2024-05-13", maxOutputTokens: 4096 },
  { prefix: "gpt-4o:extended", maxOutputTokens: 64_000 },
  { prefix: "gpt-4o", maxOutputTokens: 16_384 },
  { prefix: "gpt-4-turbo", maxOutputTokens: 4096 },
  { prefix: "gpt-3.5-turbo", maxOutputTokens: 4096 },
  { prefix: "o1-mini", maxOutputTokens: 65_536 },
  { prefix: "o1-preview", maxOutputTokens: 32_768 },
  { prefix: "o1", maxOutputTokens: 100_000 },
  { prefix: "o3", maxOutputTokens: 100_000 },
  { prefix: "o4-mini", maxOutputTokens: 100_000 },
];

const simulatorOutputLimits: readonly OutputLimit[] = [{ prefix: "sim-", maxOutputTokens: 64_000 }];

export const outputLimits: ReadonlyMap<string, readonly OutputLimit[]> = new Map([
  ["anthropic", claudeOutputLimits],
  ["anthropic-compatible", claudeOutputLimits],
  ["openai", openAiOutputLimits],
  ["simulator", simulatorOutputLimits],
  ["simulator-anthropic", simulatorOutputLimits],
]);
