/** The faults that strike instead of an answer. */
import { faultNumber, type Fault } from "./faults.ts";
import type { Call } from "./delivery/call.ts";
import { resetConnection } from "./delivery/interruption.ts";
import type { Script } from "./script.ts";
import { Refusal } from "./wire/wire.ts";

const FAR_FUTURE_SECONDS = 365 * 24 * 3600;
/** Where a script does not say how far away a moment is. */
const AHEAD_SECONDS = 5;

const MESSAGES: Readonly<Record<number, string>> = {
  401: "Incorrect API key provided. You can find your API key in your account settings.",
  403: "Your credential is not allowed to use this resource.",
  404: "The model does not exist or you do not have access to it.",
  408: "The request took too long to arrive.",
  413: "Request exceeds the maximum size.",
  422: "The request was well-formed, but could not be processed.",
  429: "Rate limit reached for requests. Please try again later.",
  500: "The server had an error while processing your request. Sorry about that!",
  502: "Bad gateway.",
  503: "The engine is currently overloaded, please try again later.",
  504: "The request timed out.",
  529: "Overloaded",
};

/** The refusal that the faults ask for, if they ask for one. */
export function planRefusal(
  faults: readonly Fault[],
  script: Script,
  apiKey: string,
  anthropic: boolean,
  nowMs: number,
): Refusal | null {
  for (const fault of faults) {
    if (fault.name === "status") {
      const status = faultNumber(fault, 500);
      return new Refusal(status, MESSAGES[status] ?? `Simulated status ${status}.`, {
        headers: whenToRetry(script, status, nowMs, anthropic),
      });
    }
    if (fault.name === "bad-key" && fault.argument !== "" && apiKey.endsWith(fault.argument)) {
      return new Refusal(401, MESSAGES[401] ?? "", { code: "invalid_api_key" });
    }
    if (fault.name === "context-length") {
      return anthropic
        ? new Refusal(400, "prompt is too long: 250000 tokens > 200000 maximum")
        : new Refusal(
            400,
            "This model's maximum context length is 128000 tokens. However, your messages resulted in 250000 tokens. Please reduce the length of the messages.",
            {
              param: "messages",
              code: "context_length_exceeded",
            },
          );
    }
    if (fault.name === "content-filter") {
      return anthropic
        ? new Refusal(400, "Output blocked by content filtering policy")
        : new Refusal(
            400,
            "The response was filtered due to the prompt triggering the content management policy. Please modify your prompt and retry.",
            {
              param: "prompt",
              code: "content_filter",
            },
          );
    }
  }
  return null;
}

function whenToRetry({ retryAfter: given }: Script, status: number, nowMs: number, anthropic: boolean): string[] {
  const [form, ahead = AHEAD_SECONDS] = given?.split(":") ?? [];
  const seconds = Number(ahead);
  if (form === "date") return ["retry-after", new Date(nowMs + seconds * 1000).toUTCString()];
  if (form === "reset") return usedUp(seconds, nowMs, anthropic);
  switch (given) {
    case null:
      return status === 429 ? ["retry-after", "1"] : [];
    case "none":
      return [];
    case "far":
      return ["retry-after", String(FAR_FUTURE_SECONDS)];
    default:
      return ["retry-after", given];
  }
}

/**
 * That nothing remains of a rate, and when it is reset: a duration (https://developers.openai.com/api/docs/guides/rate-limits),
 * or a time by RFC 3339 (https://docs.claude.com/en/api/rate-limits).
 */
function usedUp(seconds: number, nowMs: number, anthropic: boolean): string[] {
  if (anthropic) {
    const at = new Date(nowMs + seconds * 1000).toISOString().replace(/\.\d+Z$/, "Z");
    return ["anthropic-ratelimit-requests-remaining", "0", "anthropic-ratelimit-requests-reset", at];
  }
  const duration = seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
  return ["x-ratelimit-remaining-requests", "0", "x-ratelimit-reset-requests", duration];
}

const HTML_PAGE =
  "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center><hr></body></html>\n";

/** Carries out the faults that give no answer at all; `false` if there is none. */
export function strikeBefore(call: Call): boolean {
  const { response, faults } = call.facts;
  for (const fault of faults) {
    switch (fault.name) {
      case "html-instead-of-json":
        response.writeHead(200, ["content-type", "text/html", "content-length", String(HTML_PAGE.length)]);
        response.end(HTML_PAGE);
        call.settleFree();
        return true;
      case "reset-before-response":
        resetConnection(response);
        call.settleFree();
        return true;
      case "black-hole":
        call.simulation.running.add(call);
        response.on("close", () => call.settle("cancelled", call.tokensWith(0, 0)));
        return true;
      default:
    }
  }
  return false;
}
