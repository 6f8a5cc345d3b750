import { HeadgateError } from "../../kernel/errors.ts";
import { emptyUsage, type Usage } from "../../kernel/usage.ts";
import type { ResponseReading } from "../dialect.ts";
import { asArray, asCount, asObject, asText, isNoCount } from "../wire-values.ts";

/**
 * Wire facts: openai-node, `CreateEmbeddingResponse`: `usage` is `{prompt_tokens, total_tokens}`; some compatible
 * servers give only the total. An embedding has no finish reason. Throws `upstream_malformed` without `data`.
 */
export function readResponse(json: unknown): ResponseReading {
  const answer = asObject(json);
  if (answer === null || asArray(answer["data"]) === null) {
    throw new HeadgateError("upstream_malformed", "The provider's answer is not a list of embeddings: it has no data.");
  }
  return {
    id: asText(answer["id"]),
    model: asText(answer["model"]),
    usage: readUsage(answer["usage"]),
    usageIsDoubtful: isDoubtful(answer["usage"]),
    serviceTier: null,
    finish: null,
    outputBytes: 0,
  };
}

function isDoubtful(wire: unknown): boolean {
  const counts = asObject(wire);
  return isNoCount(counts?.["total_tokens"]) || isNoCount(counts?.["prompt_tokens"]);
}

function readUsage(wire: unknown): Usage | null {
  const counts = asObject(wire);
  const input = asCount(counts?.["total_tokens"]) ?? asCount(counts?.["prompt_tokens"]);
  return input === null ? null : { ...emptyUsage(), inputTokens: input };
}
