import { HeadgateError } from "../../../kernel/errors.ts";
import type { Quirks, ResponseReading } from "../../dialect.ts";
import { asArray, asObject, asText, type WireObject } from "../../wire-values.ts";
import { toFinishReason } from "../finish-reason.ts";
import { isDoubtful, readUsage } from "../usage.ts";
import { readStreamError } from "../../openai-errors/read-error.ts";
import { measureOutput } from "./output.ts";

/**
 * What accounting needs of a whole chat completion. `finish` is `null` unless every choice has a reason. Throws
 * `upstream_malformed` without choices, and the provider's own failure where a choice ended in `error` (OpenRouter).
 */
export function readResponse(json: unknown, quirks: Quirks): ResponseReading {
  const { answer, choices } = requireChoices(json);
  const reading: ResponseReading = {
    id: asText(answer["id"]),
    model: asText(answer["model"]),
    usage: readUsage(answer["usage"], quirks),
    usageIsDoubtful: isDoubtful(answer["usage"]),
    serviceTier: asText(answer["service_tier"]),
    finish: null,
    outputBytes: 0,
  };
  let complete = true;
  for (const choice of choices) {
    const message = asObject(choice["message"]);
    if (message !== null) reading.outputBytes += Math.max(0, measureOutput(message));
    const reason = asText(choice["finish_reason"]);
    if (reason === "error") throw readStreamError(choice);
    if (reason === null) complete = false;
    else reading.finish = toFinishReason(reason);
  }
  if (!complete) reading.finish = null;
  return reading;
}

/** Throws `upstream_malformed` for anything but an object with at least one choice. */
export function requireChoices(json: unknown): {
  readonly answer: WireObject;
  readonly choices: readonly WireObject[];
} {
  const answer = asObject(json);
  const choices = asArray(answer?.["choices"])?.map(asObject);
  if (answer === null || choices === undefined || choices.length === 0 || choices.includes(null)) {
    throw new HeadgateError("upstream_malformed", "The provider's answer is not a chat completion: it has no choices.");
  }
  return { answer, choices: choices.filter((choice) => choice !== null) };
}
