/**
 * The control tables that allowances need, and each process's view of them: a replica that is up to date a moment after
 * a change, or later where the network is in trouble.
 */
import type { AllowanceReader } from "../../../src/storage/allowance-reader.ts";
import { limitOfWindow } from "../../../src/storage/escrow/terms.ts";
import type { Database } from "../../../src/storage/schema.ts";

export type AllowanceRow = Database["allowances"];
export type OverrideRow = Database["allowance_overrides"];

export class Control {
  readonly #allowances = new Map<string, AllowanceRow>();
  readonly #overrides: OverrideRow[] = [];
  readonly #everDisabled = new Set<string>();
  #generation = 1;

  constructor(allowances: readonly AllowanceRow[]) {
    for (const row of allowances) this.#allowances.set(row.id, row);
  }

  get generation(): number {
    return this.#generation;
  }

  get allowances(): readonly AllowanceRow[] {
    return [...this.#allowances.values()];
  }

  allowance(id: string): AllowanceRow | undefined {
    return this.#allowances.get(id);
  }

  /** What limits a window that begins then. */
  limitOf(row: AllowanceRow, windowStartMs: number): bigint {
    const overrides = this.#overrides.filter((each) => each.allowance_id === row.id && each.revoked_at_ms === null);
    return limitOfWindow(row, overrides, windowStartMs);
  }

  /** The most that an account of it can give out at once, overrides aside. */
  capacityOf(id: string): bigint {
    const row = this.#allowances.get(id);
    return row === undefined ? 0n : limitOfWindow(row, [], 0);
  }

  /** It is, or was for a while. */
  wasDisabled(id: string): boolean {
    return this.#everDisabled.has(id);
  }

  change(id: string, change: Partial<AllowanceRow>): void {
    const row = this.#allowances.get(id);
    if (row === undefined) throw new RangeError(`There is no allowance ${id}.`);
    this.#generation++;
    if (typeof change.disabled_at_ms === "number") this.#everDisabled.add(id);
    this.#allowances.set(id, { ...row, ...change, generation: this.#generation });
  }

  override(row: Omit<OverrideRow, "generation">): void {
    this.#generation++;
    this.#overrides.push({ ...row, generation: this.#generation });
  }
}

/** What one process has seen of the control tables. */
export class Replica implements AllowanceReader {
  #rows: readonly AllowanceRow[] = [];
  #generation = 0;

  refresh(control: Control): void {
    if (this.#generation === control.generation) return;
    this.#generation = control.generation;
    this.#rows = control.allowances.filter((row) => row.disabled_at_ms === null);
  }

  generation(): number {
    return this.#generation;
  }

  ofTenant(tenantId: string): readonly AllowanceRow[] {
    return this.#rows.filter((row) => row.tenant_id === tenantId);
  }
}
