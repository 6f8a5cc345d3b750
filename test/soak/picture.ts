/** What a soak shows: how charges were found, and how far those that are not the provider's own were off. */
import { formatUsd, toNanoUsd } from "../../src/kernel/money.ts";
import type { Outcome, Seen } from "./caller.ts";
import type { LedgerBooks } from "./ledger-books.ts";
import type { InvoiceLine } from "./simulator-books.ts";

/** All charges of one basis, before any correction. */
export interface BasisRow {
  readonly basis: string;
  charges: number;
  /** That have a line on the invoice. */
  billed: number;
  /** Charged to the nano-dollar what the invoice says, nothing where it says nothing. */
  exact: number;
  corrected: number;
  chargedNanoUsd: bigint;
  billedNanoUsd: bigint;
  /** The sum of the differences without their signs. */
  deviationNanoUsd: bigint;
}

export function pictureCharges(ledger: LedgerBooks, invoice: readonly InvoiceLine[]): readonly BasisRow[] {
  const lines = new Map(invoice.map((line) => [line.clientRequestId, BigInt(line.costNanoUsd)]));
  const rows = new Map<string, BasisRow>();
  for (const { charge, corrections } of ledger.attempts.values()) {
    if (charge === null) continue;
    const row = rows.get(charge.basis) ?? emptyRow(charge.basis);
    rows.set(charge.basis, row);
    const billed = lines.get(charge.attemptId);
    const difference = charge.costNanoUsd - (billed ?? 0n);
    row.charges++;
    if (billed !== undefined) row.billed++;
    if (difference === 0n) row.exact++;
    row.corrected += corrections.length;
    row.chargedNanoUsd += charge.costNanoUsd;
    row.billedNanoUsd += billed ?? 0n;
    row.deviationNanoUsd += difference < 0n ? -difference : difference;
  }
  return [...rows.values()].toSorted((a, b) => b.charges - a.charges);
}

export function renderCharges(rows: readonly BasisRow[]): string {
  return table([
    ["basis", "charges", "billed", "exact", "corrected", "charged", "on the invoice", "difference", "deviation"],
    ...rows.map((row) => [
      row.basis,
      String(row.charges),
      String(row.billed),
      String(row.exact),
      String(row.corrected),
      usd(row.chargedNanoUsd),
      usd(row.billedNanoUsd),
      usd(row.chargedNanoUsd - row.billedNanoUsd),
      usd(row.deviationNanoUsd),
    ]),
  ]);
}

const seenOrder: readonly Seen[] = ["complete", "error", "left", "lost"];

/** What callers asked for, and how it ended for them. */
export function renderOutcomes(outcomes: readonly Outcome[]): string {
  const kinds = Map.groupBy(outcomes, (outcome) => outcome.plan.kind);
  const count = (some: readonly Outcome[], seen: Seen): string =>
    String(some.filter((outcome) => outcome.seen === seen).length);
  return table([
    ["asked for", "requests", "with a fault", ...seenOrder],
    ...[...kinds, ["all", outcomes] as const].map(([kind, some]) => [
      kind,
      String(some.length),
      String(some.filter(({ plan }) => plan.fault !== null).length),
      ...seenOrder.map((seen) => count(some, seen)),
    ]),
  ]);
}

/** `complete 61234, provider-error 9876, …`, most frequent first. */
export function renderCounts(values: readonly string[]): string {
  const counts = [...Map.groupBy(values, (value) => value)].map(([value, all]) => [value, all.length] as const);
  return counts
    .toSorted((a, b) => b[1] - a[1])
    .map(([value, count]) => `${value} ${count}`)
    .join(", ");
}

export function usd(nanoUsd: bigint): string {
  return formatUsd(toNanoUsd(nanoUsd));
}

function emptyRow(basis: string): BasisRow {
  return {
    basis,
    charges: 0,
    billed: 0,
    exact: 0,
    corrected: 0,
    chargedNanoUsd: 0n,
    billedNanoUsd: 0n,
    deviationNanoUsd: 0n,
  };
}

/** The first column to the left, numbers to the right. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))),
    )
    .map((cells) => `  ${cells.join("  ").trimEnd()}\n`)
    .join("");
}
