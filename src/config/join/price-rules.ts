import { parseUsd } from "../../kernel/money.ts";
import { fieldsOf, itemsOf, type JoinContext, refuse } from "./context.ts";

type Steps = readonly PropertyKey[];

/** Rules for `prices` that concern several of its values: days that exist and rise, thresholds that rise, a whole currency. */
export function checkPriceRules(prices: unknown, context: JoinContext): void {
  const { overrides, currency } = fieldsOf(prices);
  checkCurrency(fieldsOf(currency), context);
  for (const [model, override] of Object.entries(fieldsOf(overrides))) {
    const steps = ["prices", "overrides", model];
    checkDays(fieldsOf(override), steps, context);
    checkThresholds(override, steps, context);
    itemsOf(fieldsOf(override)["later"]).forEach((price, index) => {
      checkThresholds(price, [...steps, "later", index], context);
    });
  }
}

function checkCurrency({ code, perUsd }: Readonly<Record<string, unknown>>, context: JoinContext): void {
  if (typeof code === "string" && perUsd === undefined) {
    refuse(context, ["prices", "currency", "perUsd"], "is missing", "Say what one dollar is worth in the currency.");
  }
  const isZero = perUsd === 0 || (typeof perUsd === "string" && parseUsd(perUsd) === 0n);
  if (isZero) {
    refuse(context, ["prices", "currency", "perUsd"], "is zero, in which nothing can be shown", null);
  }
}

/** A day that does not exist is not taken for another one; what does not look like a day is the schema's to refuse. */
function checkDays(override: Readonly<Record<string, unknown>>, steps: Steps, context: JoinContext): void {
  let before = checkDay(override["from"], [...steps, "from"], context);
  itemsOf(override["later"]).forEach((price, index) => {
    const place = [...steps, "later", index, "from"];
    const day = checkDay(fieldsOf(price)["from"], place, context);
    if (day !== null && before !== null && day <= before) {
      refuse(
        context,
        place,
        `is not after ${before}, the day of the price before it`,
        "Put the prices in order of days.",
      );
    }
    before = day ?? before;
  });
}

function checkDay(day: unknown, steps: Steps, context: JoinContext): string | null {
  if (typeof day !== "string" || !/^\d{4}-\d{2}-\d{2}$/.test(day)) return null;
  const midnight = new Date(`${day}T00:00:00Z`);
  if (!Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(day)) return day;
  refuse(context, steps, `is ${day}, a day that does not exist`, null);
  return null;
}

function checkThresholds(price: unknown, steps: Steps, context: JoinContext): void {
  const { longContext, serviceTiers } = fieldsOf(price);
  checkRising(longContext, [...steps, "longContext"], context);
  for (const [tier, card] of Object.entries(fieldsOf(serviceTiers))) {
    checkRising(fieldsOf(card)["longContext"], [...steps, "serviceTiers", tier, "longContext"], context);
  }
}

function checkRising(longContext: unknown, steps: Steps, context: JoinContext): void {
  let before = 0;
  itemsOf(longContext).forEach((rates, index) => {
    const { above } = fieldsOf(rates);
    if (typeof above !== "number") return;
    if (above <= before) {
      refuse(context, [...steps, index, "above"], `is not above ${before}`, "Put the thresholds in rising order.");
    }
    before = above;
  });
}
