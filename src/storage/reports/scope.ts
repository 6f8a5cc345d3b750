/** What a report is narrowed to; an absent or `null` field does not narrow. Times are milliseconds since the epoch. */
export interface Scope {
  readonly tenantId?: string | null;
  readonly projectId?: string | null;
  readonly keyId?: string | null;
  /** As the provider served it. */
  readonly model?: string | null;
  readonly provider?: string | null;
  /** Included. */
  readonly fromMs?: number | null;
  /** Excluded. */
  readonly toMs?: number | null;
}

const scopeColumns = [
  ["tenantId", "tenant_id"],
  ["projectId", "project_id"],
  ["keyId", "key_id"],
  ["model", "model_served"],
  ["provider", "provider"],
] as const;

export type ScopeColumn = (typeof scopeColumns)[number][1];

/** The equalities a scope asks for; the time range is the caller's, whose table has its own time column. */
export function scopeEqualities(scope: Scope): { readonly column: ScopeColumn; readonly value: string }[] {
  return scopeColumns.flatMap(([field, column]) => {
    const value = scope[field];
    return value === undefined || value === null ? [] : [{ column, value }];
  });
}
