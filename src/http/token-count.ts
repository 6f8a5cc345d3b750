import { meterInput } from "../accounting/estimate.ts";
import type { Exchange } from "../exchange/exchange.ts";
import { explainRequest } from "../exchange/plan-request.ts";
import { HeadgateError } from "../kernel/errors.ts";
import { parseJsonDocument } from "../kernel/json-document.ts";
import type { Principal } from "../tenancy/principal.ts";

/** What of a request is its prompt. */
const promptMembers: ReadonlySet<string> = new Set(["system", "messages", "tools"]);

/**
 * `POST /v1/messages/count_tokens` (`MessageTokensCount` in anthropic-sdk-typescript): how long a prompt is, without
 * calling anybody. It is the gateway's own count by bytes, as for calls whose provider reports none: an estimate, because
 * only the provider has the tokeniser, and the model may be anybody's. Media count only where they are in the body.
 * Rejects with `model_not_found`, `model_not_allowed` and what the prompt itself would be refused with.
 */
export async function answerTokenCount(exchange: Exchange, principal: Principal): Promise<{ input_tokens: number }> {
  const { inbound } = exchange.dialect;
  if (inbound?.viewPrompt === undefined) {
    throw new HeadgateError("internal", `Dialect ${exchange.dialect.name} has no prompts to be counted.`);
  }
  const bytes = await exchange.incoming.readBody(null);
  exchange.bytesIn = bytes.byteLength;
  const document = parseJsonDocument(bytes, { depth: exchange.snapshot.config.limits.jsonDepth });
  // Whether any target could serve it is not the question: a prompt may be counted because it is too long.
  explainRequest(exchange, inbound.viewPrompt(document), principal);
  let tokens = 0;
  for (const { name, valueStart, valueEnd } of document.members) {
    if (promptMembers.has(name)) tokens += meterInput(bytes.subarray(valueStart, valueEnd));
  }
  return { input_tokens: tokens };
}
