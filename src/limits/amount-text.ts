/** Amounts of allowances as text. */
import { formatUsd, toNanoUsd } from "../kernel/money.ts";
import type { Amount } from "../storage/escrow/bank.ts";
import type { Meter } from "./allowance.ts";

/** For people: `$12.50`, `1,000,000 tokens`, `1 slot`. */
export function formatAmount(meter: Meter, amount: Amount): string {
  return meter === "money" ? formatUsd(toNanoUsd(amount)) : `${formatCount(amount)} ${unitFor(meter, amount)}`;
}

/** For tables: `$12.50`, `1,000,000`. */
export function formatBareAmount(meter: Meter, amount: Amount): string {
  return meter === "money" ? formatUsd(toNanoUsd(amount)) : formatCount(amount);
}

/** For programs, exact: dollars as `12.50`, everything else as `1000000`. */
export function decimalAmount(meter: Meter, amount: Amount): string {
  return meter === "money" ? formatUsd(toNanoUsd(amount)).replace("$", "") : String(amount);
}

/** What `decimalAmount` counts. */
export function unitOf(meter: Meter): "usd" | Exclude<Meter, "money"> {
  return meter === "money" ? "usd" : meter;
}

function formatCount(amount: Amount): string {
  return String(amount).replace(/\B(?=(\d{3})+$)/g, ",");
}

function unitFor(meter: Meter, amount: Amount): string {
  return amount === 1n ? meter.slice(0, -1) : meter;
}
