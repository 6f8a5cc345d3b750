/** The parts that a whole chat completion and its stream have in common. */
import type { Tokens } from "../prices.ts";

export const systemFingerprint = "fp_sim0000001";

/** `CompletionUsage`: what was cached is part of the prompt, what was reasoned part of the completion. */
export function encodeChatUsage(tokens: Tokens): string {
  const cacheWrite = tokens.cacheWrite5m + tokens.cacheWrite1h;
  const prompt = tokens.input + tokens.cacheRead + cacheWrite;
  const completion = tokens.output + tokens.reasoning;
  return (
    `{"prompt_tokens":${prompt},"completion_tokens":${completion},"total_tokens":${prompt + completion},` +
    `"prompt_tokens_details":{"cached_tokens":${tokens.cacheRead},"cache_write_tokens":${cacheWrite},"audio_tokens":0},` +
    `"completion_tokens_details":{"reasoning_tokens":${tokens.reasoning},"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}`
  );
}

/** Tool calls of all choices in one sequence: ids differ within a response. */
export function callNumber(choice: number, call: number): number {
  return choice * 64 + call;
}
