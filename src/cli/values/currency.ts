/**
 * Amounts in the operator's currency, beside dollars and never in their place: money is held, limited and stored in
 * dollars. The rate of exchange is the configuration's, so that a report can be made again.
 */
import type { CurrencyConfig } from "../../config/config.ts";
import { formatUsd, parseUsd, toNanoUsd, type NanoUsd } from "../../kernel/money.ts";

const NANO = 1_000_000_000n;
/** An amount of money is shown to a millionth: what is finer is the rate's error. */
const STEP = 1000n;

/** Decimal text, rounded to a millionth; `null` where no currency is configured. */
export function inCurrency(amount: NanoUsd, { code, perUsd }: CurrencyConfig): string | null {
  if (code === null || perUsd === null) return null;
  const rate = parseUsd(perUsd) ?? 0n;
  const exact = amount * rate;
  const half = (NANO * STEP) / 2n;
  const steps = (exact + (exact < 0n ? -half : half)) / (NANO * STEP);
  return formatUsd(toNanoUsd(steps * STEP)).replace("$", "");
}

/** `$1.50`, or `$1.50 (1.38 EUR)`. */
export function formatMoney(amount: NanoUsd, currency: CurrencyConfig): string {
  const converted = inCurrency(amount, currency);
  return converted === null ? formatUsd(amount) : `${formatUsd(amount)} (${converted} ${currency.code})`;
}
