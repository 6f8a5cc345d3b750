const BILLING_LINE = "x-anthropic-billing-header:";

/**
 * A text without the line with which Claude Code begins its system text, `x-anthropic-billing-header: …; cch=…;`
 * (anthropics/claude-code, issue 68900). It is another for every request and means something to Anthropic's API alone: in
 * anybody else's prompt it would keep prompt caches from ever matching.
 */
export function withoutBillingLine(text: string): string {
  if (!text.startsWith(BILLING_LINE)) return text;
  const end = text.indexOf("\n");
  return end === -1 ? "" : text.slice(end + 1);
}
