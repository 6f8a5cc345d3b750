/** What the suites of allowances share: a store with two tenants, a clock of the test's own, and ways to use an allowance up. */
import type { Kysely } from "kysely";
import { createIdSource, systemRandomFill } from "../../src/kernel/ids.ts";
import type { Allowance } from "../../src/limits/allowance.ts";
import { windowAt } from "../../src/storage/escrow/calendar.ts";
import { type AllowanceDraft, createAllowance } from "../../src/limits/operations/create.ts";
import type { AllowanceDeps } from "../../src/limits/operations/operations.ts";
import type { AccountKey, Bank } from "../../src/storage/escrow/bank.ts";
import type { Database } from "../../src/storage/schema.ts";
import { createKey } from "../../src/tenancy/keys.ts";
import { createProject } from "../../src/tenancy/projects.ts";
import { createTenant } from "../../src/tenancy/tenants.ts";
import { createVirtualClock, type VirtualClock } from "../support/virtual-clock.ts";
import { createTestBank, leaseMs } from "./bank-place.ts";
import { accountOf } from "./bank-samples.ts";
import { settleMoves } from "./bank-steps.ts";
import type { Place } from "./engines.ts";

export interface AllowancePlace extends AllowanceDeps, AsyncDisposable {
  readonly db: Kysely<Database>;
  readonly clock: VirtualClock;
  readonly bank: Bank;
  readonly tenantId: string;
  readonly projectId: string;
  readonly keyId: string;
  /** A tenant, project and key of somebody else. */
  readonly other: { readonly tenantId: string; readonly projectId: string; readonly keyId: string };
  /** An allowance of the tenant as a whole: a budget of 1000 nano-dollars for a lifetime unless `draft` says otherwise. */
  create(draft?: Partial<AllowanceDraft>): Promise<Allowance>;
  /** The account of now. */
  account(allowance: Allowance, subject?: string): AccountKey;
  /** One owner draws so much and settles so much of it; the rest stays granted to it. Resolves with the owner's id. */
  use(allowance: Allowance, drawn: bigint, settled: bigint, subject?: string): Promise<string>;
}

/** The clock stands at 2027-01-15T08:00:00Z. */
export async function openAllowances(place: Place): Promise<AllowancePlace> {
  const db = place.openDatabase();
  const clock = createVirtualClock(Date.UTC(2027, 0, 15, 8));
  const deps = { db, clock, ids: createIdSource(systemRandomFill, () => clock.wallMs()) };
  const bank = createTestBank(db, {
    get nowMs() {
      return clock.wallMs();
    },
  });
  const own = await createHousehold(deps, "acme");
  const account = ({ id, window, timeZone, meter }: Allowance, subject = ""): AccountKey => {
    const isRate = meter !== "money" && (window === "minute" || window === "hour");
    const span = window === "lifetime" || isRate ? undefined : windowAt(window, timeZone, clock.wallMs());
    return accountOf(id, span, subject);
  };
  let owners = 0;
  return {
    ...deps,
    bank,
    ...own,
    other: await createHousehold(deps, "zeta"),
    create: (draft) => {
      const scope = { kind: "tenant", tenantId: own.tenantId, projectId: null, keyId: null, endUser: null } as const;
      return createAllowance(deps, { name: "monthly", scope, meter: "money", limit: 1000n, ...draft });
    },
    account,
    async use(allowance, drawn, settled, subject) {
      const key = account(allowance, subject);
      const ownerId = `own_${++owners}`;
      await bank.register(ownerId, "ins_1", leaseMs);
      await bank.draw(ownerId, [{ account: key, sequence: 1, need: drawn, want: drawn, refusals: 0 }]);
      await settleMoves(db, [{ ownerId, accountId: key.accountId, fromGrant: settled, overdraft: 0n }]);
      return ownerId;
    },
    [Symbol.asyncDispose]: () => db.destroy(),
  };
}

async function createHousehold(
  deps: AllowanceDeps,
  name: string,
): Promise<{ readonly tenantId: string; readonly projectId: string; readonly keyId: string }> {
  const tenancy = { ...deps, randomFill: systemRandomFill };
  const tenant = await createTenant(tenancy, name);
  const project = await createProject(tenancy, name, "search");
  const { key } = await createKey(tenancy, { tenant: name, project: "search" }, { name: `of-${name}` });
  return { tenantId: tenant.id, projectId: project.id, keyId: key.id };
}
