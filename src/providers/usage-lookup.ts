/**
 * Asking a provider afterwards what one call used.
 *
 * Wire facts: OpenRouter's `GET /generation?id=` answers `{data: {…}}` with counts that may be null
 * (https://openrouter.ai/docs/api/api-reference/generations/get-generation). `tokens_*` are counted by one tokeniser
 * for all models; `native_tokens_*` by the model's own, and those are billed. As in its chat usage, the prompt's count
 * includes cached tokens and the completion's includes reasoning and images. The simulator answers in the same shape
 * and adds `native_tokens_cache_write_5m` and `_1h`, also inside the prompt's count; for a call that is still running
 * it answers 404 with `error.code` `generation_running`.
 */
import { HeadgateError } from "../kernel/errors.ts";
import { emptyUsage, type Usage } from "../kernel/usage.ts";
import type { UsageLookup } from "./provider.ts";

export type UsageLookupAnswer =
  | { readonly kind: "found"; readonly usage: Usage }
  | { readonly kind: "absent" }
  | { readonly kind: "pending" };

/** The path to ask at, below the provider's base URL. */
export function usageLookupPath(lookup: UsageLookup, id: string): string {
  return lookup.path.replace("{id}", encodeURIComponent(id));
}

/** Reads an answer. Throws `upstream_failed` for other statuses than 200 and 404, `upstream_malformed` for a 200 of another shape. */
export function readUsageLookup(status: number, json: unknown): UsageLookupAnswer {
  if (status === 404) return { kind: readErrorCode(json) === "generation_running" ? "pending" : "absent" };
  if (status !== 200) {
    throw new HeadgateError("upstream_failed", `The provider answered a usage lookup with status ${status}.`);
  }
  return { kind: "found", usage: parseUsageLookup(json) };
}

/** The usage in the body of a 200, as disjoint buckets. Throws `upstream_malformed`. */
export function parseUsageLookup(json: unknown): Usage {
  const data = member(json, "data");
  const prompt = count(data, "native_tokens_prompt");
  const completion = count(data, "native_tokens_completion");
  if (prompt === null || completion === null) {
    throw new HeadgateError(
      "upstream_malformed",
      "The provider's answer to a usage lookup has no data.native_tokens_prompt or data.native_tokens_completion.",
    );
  }
  const input = split(prompt);
  const output = split(completion);
  const usage = emptyUsage();
  usage.cacheReadTokens = input.take(count(data, "native_tokens_cached"));
  usage.cacheWrite5mTokens = input.take(count(data, "native_tokens_cache_write_5m"));
  usage.cacheWrite1hTokens = input.take(count(data, "native_tokens_cache_write_1h"));
  usage.inputTokens = input.rest();
  usage.reasoningTokens = output.take(count(data, "native_tokens_reasoning"));
  usage.imageOutputTokens = output.take(count(data, "native_tokens_completion_images"));
  usage.outputTokens = output.rest();
  return usage;
}

/** Divides a total into shares that add up to it, whatever the shares claim to be. */
function split(total: number): { take(share: number | null): number; rest(): number } {
  let left = total;
  return {
    take(share) {
      const taken = Math.min(share ?? 0, left);
      left -= taken;
      return taken;
    },
    rest: () => left,
  };
}

function readErrorCode(json: unknown): unknown {
  return member(member(json, "error"), "code");
}

function count(value: unknown, name: string): number | null {
  const found = member(value, name);
  return typeof found === "number" && Number.isSafeInteger(found) && found >= 0 ? found : null;
}

function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}
