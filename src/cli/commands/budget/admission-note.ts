import type { PricesConfig } from "../../../config/config.ts";
import type { Allowance } from "../../../limits/allowance.ts";
import { formatCount } from "../../table.ts";

/** What a chat request with a short body holds at least: see accounting/estimate.ts. */
const CHAT_TOKENS_MIN = 1200;

/** What to tell of a limit of tokens that is smaller than what the shortest chat request holds; `null`: nothing. */
export function noteOnSmallLimit({ meter, limit, burst, operation, mode }: Allowance): string | null {
  const atOnce = burst ?? limit;
  const concernsChat = meter === "tokens" && (operation === null || operation === "chat") && mode === "enforce";
  if (!concernsChat || atOnce === 0n || atOnce >= BigInt(CHAT_TOKENS_MIN)) return null;
  return `warning: ${formatCount(Number(atOnce))} tokens admit no chat request: the shortest holds about ${formatCount(CHAT_TOKENS_MIN)} until its answer says what it used.`;
}

/** What to tell of a budget of money about calls that it cannot count; `null`: nothing. */
export function noteOnUnpriced(
  { meter, mode }: Allowance,
  { unknownModel }: Pick<PricesConfig, "unknownModel">,
): string | null {
  if (meter !== "money" || mode !== "enforce") return null;
  if (unknownModel === "allow") {
    return "warning: calls of models without a price are made all the same and take nothing of it: prices.unknownModel is allow. `headgate prices missing` lists such models.";
  }
  if (unknownModel !== "allow-unbudgeted") return null;
  return "note: calls of models without a price are refused under it. `headgate prices missing` lists such models; prices.overrides gives them a price.";
}
