import { formatUsd, type NanoUsd } from "../../kernel/money.ts";

/** `12.345678901`: dollars as decimal text, for JSON and CSV. */
export function decimalUsd(amount: NanoUsd): string {
  return formatUsd(amount).replace("$", "");
}
