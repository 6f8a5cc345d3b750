/** The faults that strike instead of an answer. */
import { faultNumber, type Fault } from "./faults.ts";
import type { Call } from "./delivery/call.ts";
import { resetConnection } from "./delivery/interruption.ts";
import type { Script } from "./script.ts";
import { Refusal } from "./wire/wire.ts";

const FAR_FUTURE_SECONDS = 365 * 24 * 3600;
const DATE_AHEAD_SECONDS = 5;

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
        headers: retryAfter(script, status, nowMs),
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

function retryAfter({ retryAfter: given }: Script, status: number, nowMs: number): string[] {
  if (given?.startsWith("date")) {
    const seconds = Number(given.split(":")[1] ?? DATE_AHEAD_SECONDS);
    return ["retry-after", new Date(nowMs + seconds * 1000).toUTCString()];
  }
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
