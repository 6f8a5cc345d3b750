/**
 * Finds a request's path. What allowances say is read again when the store's generation moves; in between, a path is
 * kept by payer, and by model, operation and end user where an allowance of the payer asks for them. The cache is
 * bounded: models and end users are strings of the caller's choice. When it is full, it begins anew.
 */
import type { AllowanceReader } from "../../storage/allowance-reader.ts";
import type { Payer } from "../../storage/records.ts";
import { toAllowance } from "../allowance-row.ts";
import type { Allowance } from "../allowance.ts";
import type { RequestScope } from "../limits.ts";
import { concernsPayer, countsRequest, isNarrowed, isOfEndUsers, subjectOf } from "./matching.ts";
import { Path } from "./path.ts";
import { WindowCache } from "./window-cache.ts";

const PATHS_MAX = 20_000;

/** `null`: no allowance. */
type Found = Path | null;

interface PayerPaths {
  readonly allowances: readonly Allowance[];
  readonly byModel: boolean;
  readonly byEndUser: boolean;
  /** Where neither matters. */
  readonly only: Found;
  readonly others: Map<string, Found>;
}

export class PathFinder {
  readonly #reader: AllowanceReader;
  readonly #changed: () => void;
  readonly #windows = new WindowCache();
  readonly #tenants = new Map<string, readonly Allowance[]>();
  /** By key. */
  readonly #payers = new Map<string, PayerPaths>();
  #pathCount = 0;
  #generation = -1;

  /** `changed`: allowances may say something else than before. */
  constructor(reader: AllowanceReader, changed: () => void) {
    this.#reader = reader;
    this.#changed = changed;
  }

  /** Throws `storage_unavailable`. */
  find(scope: RequestScope): Found {
    const generation = this.#reader.generation();
    if (generation !== this.#generation) this.#renew(generation);
    const paths = this.#payers.get(scope.payer.keyId) ?? this.#addPayer(scope.payer);
    return paths.byModel || paths.byEndUser ? this.#findAmong(paths, scope) : paths.only;
  }

  #renew(generation: number): void {
    this.#clear();
    this.#tenants.clear();
    this.#generation = generation;
    this.#changed();
  }

  #clear(): void {
    this.#payers.clear();
    this.#pathCount = 0;
  }

  #findAmong({ allowances, byModel, byEndUser, others }: PayerPaths, scope: RequestScope): Found {
    const key = (byModel ? modelKey(scope) : "") + (byEndUser && scope.endUser !== null ? `=${scope.endUser}` : "");
    const known = others.get(key);
    if (known !== undefined) return known;
    const counting = allowances.filter((allowance) => countsRequest(allowance, scope));
    const found = this.#toPath(counting, scope);
    others.set(key, found);
    return found;
  }

  #addPayer(payer: Payer): PayerPaths {
    const allowances = this.#ofTenant(payer.tenantId).filter((allowance) => concernsPayer(allowance, payer));
    const byModel = allowances.some(isNarrowed);
    const byEndUser = allowances.some(isOfEndUsers);
    const only =
      byModel || byEndUser
        ? null
        : this.#toPath(allowances, { payer, endUser: null, operation: "chat", modelAsked: "", modelTarget: "" });
    const paths: PayerPaths = { allowances, byModel, byEndUser, only, others: new Map() };
    this.#payers.set(payer.keyId, paths);
    return paths;
  }

  #ofTenant(tenantId: string): readonly Allowance[] {
    const known = this.#tenants.get(tenantId);
    if (known !== undefined) return known;
    const allowances = this.#reader.ofTenant(tenantId).map(toAllowance);
    this.#tenants.set(tenantId, allowances);
    return allowances;
  }

  #toPath(allowances: readonly Allowance[], scope: RequestScope): Found {
    if (++this.#pathCount > PATHS_MAX) this.#clear();
    if (allowances.length === 0) return null;
    return new Path(
      allowances.map((allowance) => ({ allowance, subject: subjectOf(allowance, scope) })),
      this.#windows,
    );
  }
}

/** With the lengths of what callers choose, so that no two scopes have the same key. */
function modelKey({ operation, modelAsked, modelTarget, otherTargets }: RequestScope): string {
  const key = `${operation} ${modelAsked.length} ${modelAsked} ${modelTarget.length} ${modelTarget}`;
  if (otherTargets === undefined || otherTargets.length === 0) return key;
  return `${key}${otherTargets.map((target) => ` ${target.length} ${target}`).join("")}`;
}
