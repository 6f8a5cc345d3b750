/**
 * What is known of models beyond their prices, as data. The first row whose provider kind and name prefix fit is
 * taken, so longer prefixes stand before shorter ones. What no row says is unknown, which never excludes a model.
 *
 * Output limits of Claude: https://platform.claude.com/docs/en/models/overview and each model's page below it;
 * earlier ones from the same pages in their last published form.
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

const simulatorOutputLimits: readonly OutputLimit[] = [{ prefix: "sim-", maxOutputTokens: 64_000 }];

export const outputLimits: ReadonlyMap<string, readonly OutputLimit[]> = new Map([
  ["anthropic", claudeOutputLimits],
  ["anthropic-compatible", claudeOutputLimits],
  ["simulator", simulatorOutputLimits],
  ["simulator-anthropic", simulatorOutputLimits],
]);
