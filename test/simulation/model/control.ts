/**
 * The control tables that allowances need, and each process's view of them: a replica that is up to date a moment after
 * a change, or later where the network is in trouble.
 */
import type { AllowanceReader } from "../../../src/storage/allowance-reader.ts";
import type { Database } from "../../../src/storage/schema.ts";

export type AllowanceRow = Database["allowances"];
export type OverrideRow = Database["allowance_overrides"];

export class Control {
  readonly #allowances = new Map<string, AllowanceRow>();
  readonly #overrides: OverrideRow[] = [];
  readonly #everDisabled = new Set<string>();
  readonly #everExpected = new Set<string>();
  readonly #modes = new Map<string, Set<AllowanceRow["mode"]>>();
  #generation = 1;

  constructor(allowances: readonly AllowanceRow[]) {
    for (const row of allowances) this.#put(row);
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

  /** Those that are not revoked. */
  overridesOf(id: string): readonly OverrideRow[] {
    return this.#overrides.filter((each) => each.allowance_id === id && each.revoked_at_ms === null);
  }

  /** It is, or was for a while. */
  wasDisabled(id: string): boolean {
    return this.#everDisabled.has(id);
  }

  /** Of policy `expected`, or was for a while. */
  wasExpected(id: string): boolean {
    return this.#everExpected.has(id);
  }

  /** Of a mode that does not refuse, or was for a while. */
  wasLenient(id: string): boolean {
    return this.modesOf(id).some((mode) => mode !== "enforce");
  }

  /** All that it is or was. */
  modesOf(id: string): readonly AllowanceRow["mode"][] {
    return [...(this.#modes.get(id) ?? [])];
  }

  change(id: string, change: Partial<AllowanceRow>): void {
    const row = this.#allowances.get(id);
    if (row === undefined) throw new RangeError(`There is no allowance ${id}.`);
    this.#generation++;
    this.#put({ ...row, ...change, generation: this.#generation });
  }

  add(row: AllowanceRow): void {
    this.#generation++;
    this.#put({ ...row, generation: this.#generation });
  }

  override(row: Omit<OverrideRow, "generation">): void {
    this.#generation++;
    this.#overrides.push({ ...row, generation: this.#generation });
  }

  #put(row: AllowanceRow): void {
    this.#allowances.set(row.id, row);
    if (row.disabled_at_ms !== null) this.#everDisabled.add(row.id);
    if (row.policy === "expected") this.#everExpected.add(row.id);
    this.#modes.getOrInsertComputed(row.id, () => new Set()).add(row.mode);
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
