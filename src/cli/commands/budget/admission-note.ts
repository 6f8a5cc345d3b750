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
