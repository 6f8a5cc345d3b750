import { createTenant, listTenants, renameTenant, setTenantDisabled, type Tenant } from "../../../tenancy/tenants.ts";
import type { Invocation } from "../../command.ts";
import { type ExitCode, exitCodes } from "../../exit-codes.ts";
import { renderTable } from "../../table.ts";
import { formatMinute, isoTime } from "../../values/time-text.ts";
import { openExistingRecords, openRecords } from "../../workspace.ts";

export interface TenantNameOptions {
  readonly name: string;
}

export interface TenantRenameOptions extends TenantNameOptions {
  readonly tenant: string;
}

export async function create(invocation: Invocation<TenantNameOptions>): Promise<ExitCode> {
  await using records = openRecords(invocation);
  const tenant = await createTenant(records, invocation.options.name);
  return tell(invocation, tenant, `Created tenant ${tenant.name} (${tenant.id}).`);
}

export async function list(invocation: Invocation<unknown>): Promise<ExitCode> {
  await using records = openExistingRecords(invocation);
  const tenants = await listTenants(records.db);
  invocation.output.result({ tenants: tenants.map(describe) }, () =>
    renderTable(tenants, [
      { title: "name", cell: ({ name }) => name },
      { title: "state", cell: stateOf },
      { title: "created (UTC)", cell: ({ createdAtMs }) => formatMinute(createdAtMs) },
      { title: "id", cell: ({ id }) => id },
    ]),
  );
  return exitCodes.ok;
}

export async function rename(invocation: Invocation<TenantRenameOptions>): Promise<ExitCode> {
  await using records = openExistingRecords(invocation);
  const tenant = await renameTenant(records, invocation.options.tenant, invocation.options.name);
  return tell(invocation, tenant, `Tenant ${tenant.id} is now called ${tenant.name}.`);
}

export async function disable(invocation: Invocation<TenantNameOptions>): Promise<ExitCode> {
  await using records = openExistingRecords(invocation);
  const tenant = await setTenantDisabled(records, invocation.options.name, true);
  return tell(invocation, tenant, `Disabled tenant ${tenant.name}: its keys are refused from the next request on.`);
}

export async function enable(invocation: Invocation<TenantNameOptions>): Promise<ExitCode> {
  await using records = openExistingRecords(invocation);
  const tenant = await setTenantDisabled(records, invocation.options.name, false);
  return tell(invocation, tenant, `Enabled tenant ${tenant.name}.`);
}

function tell({ output }: Invocation<unknown>, tenant: Tenant, sentence: string): ExitCode {
  output.result(describe(tenant), () => `${sentence}\n`);
  return exitCodes.ok;
}

function describe(tenant: Tenant): Readonly<Record<string, unknown>> {
  return {
    id: tenant.id,
    name: tenant.name,
    state: stateOf(tenant),
    createdAt: isoTime(tenant.createdAtMs),
    disabledAt: isoTime(tenant.disabledAtMs),
  };
}

function stateOf({ disabledAtMs }: Tenant): string {
  return disabledAtMs === null ? "enabled" : "disabled";
}
