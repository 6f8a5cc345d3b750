import { listAllowances } from "../../../limits/operations/operations.ts";
import type { Invocation } from "../../command.ts";
import { type ExitCode, exitCodes } from "../../exit-codes.ts";
import { renderTable } from "../../table.ts";
import { openExistingRecords } from "../../workspace.ts";
import { readNames } from "../tenancy/names.ts";
import { describeAllowance, renderLimit, stateOf } from "./describe.ts";
import { tenantIdOf } from "./reference.ts";
import { renderScope } from "./scope.ts";

export interface BudgetListOptions {
  readonly tenant: string | null;
}

export async function list(invocation: Invocation<BudgetListOptions>): Promise<ExitCode> {
  await using records = openExistingRecords(invocation);
  const allowances = await listAllowances(records.db, await tenantIdOf(records.db, invocation.options.tenant));
  const names = await readNames(records.db);
  invocation.output.result({ allowances: allowances.map((allowance) => describeAllowance(allowance, names)) }, () =>
    renderTable(allowances, [
      { title: "tenant", cell: ({ scope }) => names.tenant(scope.tenantId) },
      { title: "name", cell: ({ name }) => name },
      { title: "counts", cell: (allowance) => renderScope(allowance, names) },
      { title: "limit", cell: renderLimit },
      { title: "mode", cell: ({ mode }) => mode },
      { title: "state", cell: stateOf },
      { title: "id", cell: ({ id }) => id },
    ]),
  );
  return exitCodes.ok;
}
