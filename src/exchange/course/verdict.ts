/** What may follow a failed call: reliability's rules, by the failure alone. Whether there is time for it is the itinerary's. */
import type { HeadgateError } from "../../kernel/errors.ts";

/**
 * `again`: it may pass; the same target may be called again, or another. `elsewhere`: only another target can help.
 * `limited`: the provider limits the rate of a credential. `credential`: it refused one. `larger`: a target with a larger
 * context window can help. `final`: nothing can; the failure is the answer.
 */
export type Verdict = "again" | "elsewhere" | "limited" | "credential" | "larger" | "final";

export function judge(failure: HeadgateError): Verdict {
  switch (failure.code) {
    case "upstream_unreachable":
    case "upstream_failed":
    case "upstream_overloaded":
    case "upstream_malformed":
    case "stream_truncated":
      // `false`: the provider said so, or it is set up in a way that the next call would meet, too.
      return failure.shouldRetry === false ? "elsewhere" : "again";
    case "upstream_rate_limited":
      return failure.shouldRetry === false ? "elsewhere" : "limited";
    case "upstream_credentials":
      return "credential";
    // A target that stayed silent, or took all its time, is not tried again for the same request.
    case "total_timeout":
    case "connect_timeout":
    case "first_token_timeout":
    case "idle_timeout":
      return "elsewhere";
    // So much is no answer to anything, and would be as much the next time.
    case "upstream_too_large":
      return "elsewhere";
    // The target's own reasons, found before it was called.
    case "unsupported_parameter":
    case "unsupported_capability":
    case "unpriced_model":
    case "target_unavailable":
    case "target_limited":
    case "stream_differs":
      return "elsewhere";
    // A target that is saturated; or the gateway's own memory, which is the same whoever answers.
    case "overloaded":
      return failure.shouldRetry === false ? "final" : "elsewhere";
    // An allowance that is for this target's model only says nothing of others.
    case "budget_exhausted":
    case "rate_limited":
    case "slots_exhausted":
      return failure.retry === "other-target" ? "elsewhere" : "final";
    case "upstream_rejected":
      return judgeRejection(failure);
    default:
      return "final";
  }
}

/** The caller's own mistake is the same everywhere; that the target lacks the model, or room for the prompt, is not. */
function judgeRejection(failure: HeadgateError): Verdict {
  if (isContextTooLong(failure)) return "larger";
  if (failure.status === 404) return "elsewhere";
  return failure.shouldRetry === true ? "again" : "final";
}

/**
 * OpenAI: `context_length_exceeded` (error codes of its API reference). Anthropic: "prompt is too long: … tokens > …
 * maximum". Servers like vLLM: "maximum context length is …".
 */
const contextTooLong = /prompt is too long|maximum context length|context[ _](?:length|window)/i;

function isContextTooLong({ status, upstream, message }: HeadgateError): boolean {
  if (status !== 400 && status !== 413) return false;
  return upstream?.code === "context_length_exceeded" || contextTooLong.test(message);
}
