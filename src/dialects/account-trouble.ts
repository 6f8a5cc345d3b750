/**
 * Refusals of the gateway's own account or key that come with the status of a bad request or of a rate limit. Callers can
 * do nothing about them; another key or another target can.
 *
 * Wire facts, each as its provider's users report it: Anthropic 400 `invalid_request_error` ("Your credit balance is too
 * low to access the Anthropic API. …", "You have reached your specified API usage limits. …": anthropics/claude-code#66314,
 * #38035); Google 400 `INVALID_ARGUMENT` ("API key not valid. …": continuedev/continue#10290) and 429 ("… exceeded its
 * monthly spending cap": openclaw/openclaw#74120); xAI 400 ("Incorrect API key provided: …": continuedev/continue#10778);
 * Alibaba 400 `Arrearage` (QuantumNous/new-api#1401); DeepSeek 402, through others 400 ("Insufficient Balance":
 * NousResearch/hermes-agent#16772); Fireworks 412 ("Account … is suspended, …": amd/gaia#3766); OpenAI 429
 * `insufficient_quota` and 400 `billing_hard_limit_reached`.
 */
export interface SaidByProvider {
  readonly type: string | null;
  readonly code: string | null;
  readonly message: string | null;
}

const codes: ReadonlySet<string | null> = new Set([
  "insufficient_quota",
  "billing_hard_limit_reached",
  "Arrearage",
  "API_KEY_INVALID",
]);

/** From the beginning of the message on: what a caller wrote may be quoted in it. */
const MESSAGE =
  /^(?:your credit balance is too low|you have reached your specified (?:workspace )?api usage limits|api key (?:not valid|expired)|incorrect api key provided|insufficient balance|account \S+ is suspended)/i;
const SPENDING_CAP = /^your [\w ]{1,40} has exceeded its monthly spending cap/i;

export function isAccountTrouble(status: number, { type, code, message }: SaidByProvider): boolean {
  if (status !== 400 && status !== 412 && status !== 429) return false;
  if (codes.has(code) || codes.has(type)) return true;
  return message !== null && (status === 429 ? SPENDING_CAP : MESSAGE).test(message);
}
