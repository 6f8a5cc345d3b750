/** Amounts of allowances as people write them: dollars for money, whole numbers for everything else. */
import type { HeadgateError } from "../../kernel/errors.ts";
import { parseUsd } from "../../kernel/money.ts";
import type { Amount } from "../../storage/escrow/bank.ts";
import type { Meter } from "../allowance.ts";
import { formatAmount } from "../amount-text.ts";
import { refuse } from "./refusals.ts";

/** What the store's 64-bit columns hold: as money about nine billion dollars. */
export const AMOUNT_MAX: Amount = 2n ** 63n - 1n;

export const amountNotation = "dollars such as 100 or 0.5 for money, else a whole number such as 60, 500k or 2M";

const TEXT_CHARS_MAX = 64;
const powersOfThousand: Readonly<Record<string, number>> = { "": 0, k: 3, M: 6, G: 9 };

/** `param` is what the person calls it: `limit`, `--money`. Throws `invalid_argument`. */
export function parseAmount(meter: Meter, text: string, param: string): Amount {
  if (text.trim() === "") throw refuse(param, `${param} has no amount. Give ${notationOf(meter)}.`);
  if (/^-\d/.test(text)) throw refuse(param, `${param} cannot be negative: ${text}. 0 admits nothing.`);
  if (text.length > TEXT_CHARS_MAX) throw tooLarge(meter, param);
  const amount = meter === "money" ? parseMoney(text, param) : parseWhole(meter, text, param);
  if (amount > AMOUNT_MAX) throw tooLarge(meter, param);
  return amount;
}

/** For amounts that did not come as text. Throws `invalid_argument`. */
export function checkAmount(meter: Meter, amount: Amount, param: string): void {
  if (amount < 0n)
    throw refuse(param, `${param} cannot be negative: ${formatAmount(meter, amount)}. 0 admits nothing.`);
  if (amount > AMOUNT_MAX) throw tooLarge(meter, param);
}

function parseMoney(text: string, param: string): Amount {
  const amount = parseUsd(text);
  if (amount !== null) return amount;
  const tooFine = /^\d+\.\d{10,}$/.test(text);
  throw refuse(
    param,
    tooFine
      ? `${param} has more than nine decimals: ${text}. The smallest amount is $0.000000001.`
      : `${param} must be ${notationOf("money")}, not ${JSON.stringify(text)}.`,
  );
}

function parseWhole(meter: Meter, text: string, param: string): Amount {
  const match = /^(\d+)(?:\.(\d+))?([kMG]?)$/.exec(text);
  if (match === null) throw refuse(param, `${param} must be ${notationOf(meter)}, not ${JSON.stringify(text)}.`);
  const [, whole = "", fraction = "", suffix = ""] = match;
  const places = powersOfThousand[suffix] ?? 0;
  if (/[1-9]/.test(fraction.slice(places))) {
    throw refuse(param, `${param} must be a whole number of ${meter}, and ${text} is not.`);
  }
  return BigInt(whole + fraction.slice(0, places).padEnd(places, "0"));
}

function notationOf(meter: Meter): string {
  return meter === "money"
    ? "dollars with at most nine decimals, such as 100 or 0.5"
    : `a whole number of ${meter}, such as 60, 500k or 2M`;
}

function tooLarge(meter: Meter, param: string): HeadgateError {
  return refuse(param, `${param} is too large. The most is ${formatAmount(meter, AMOUNT_MAX)}.`);
}
