/** Another limit for some windows. */
import { formatBareAmount } from "../../../limits/amount-text.ts";
import { parseAmount } from "../../../limits/operations/amounts.ts";
import { findAllowance } from "../../../limits/operations/operations.ts";
import { createOverride, listOverrides, revokeOverride } from "../../../limits/operations/overrides.ts";
import type { Invocation } from "../../command.ts";
import { type ExitCode, exitCodes } from "../../exit-codes.ts";
import { renderTable } from "../../table.ts";
import { formatMinute } from "../../values/time-text.ts";
import { openExistingRecords } from "../../workspace.ts";
import { describeOverride, renderOverride } from "./override-text.ts";
import { type BudgetFilterOptions, type BudgetNameOptions, queryOf, readAllowances, referenceOf } from "./reference.ts";

export interface OverrideOptions extends BudgetNameOptions {
  readonly limit: string;
  /** `null`: the current window. */
  readonly next: number | null;
}

export interface OverridesOptions extends BudgetFilterOptions {
  readonly all: boolean;
}

export interface OverrideRevokeOptions {
  readonly override: string;
}

export async function create(invocation: Invocation<OverrideOptions>): Promise<ExitCode> {
  await using records = openExistingRecords(invocation);
  const { options, output } = invocation;
  const allowance = await findAllowance(records.db, await referenceOf(records.db, options));
  const draft = { limit: parseAmount(allowance.meter, options.limit, "--limit"), nextWindows: options.next };
  const override = await createOverride(records, { tenantId: null, allowance: allowance.id }, draft);
  const sentence = `Override ${override.id} of ${allowance.name}: ${renderOverride(override, allowance)}.`;
  output.result(describeOverride(override, allowance), () => `${sentence}\n`);
  return exitCodes.ok;
}

export async function list(invocation: Invocation<OverridesOptions>): Promise<ExitCode> {
  await using records = openExistingRecords(invocation);
  const { all } = invocation.options;
  const { db, clock } = records;
  const query = await queryOf(db, invocation.options);
  const overrides = await listOverrides(db, { ...query, inForceAtMs: all ? null : clock.wallMs() });
  const allowanceOf = await readAllowances(db);
  invocation.output.result(
    { overrides: overrides.map((override) => describeOverride(override, allowanceOf(override.allowanceId))) },
    () =>
      renderTable(overrides, [
        { title: "allowance", cell: (override) => allowanceOf(override.allowanceId).name },
        {
          title: "limit",
          cell: (override) => formatBareAmount(allowanceOf(override.allowanceId).meter, override.limit),
          align: "right",
        },
        { title: "from (UTC)", cell: ({ fromMs }) => formatMinute(fromMs) },
        { title: "until (UTC)", cell: ({ untilMs }) => formatMinute(untilMs) },
        { title: "state", cell: ({ revokedAtMs }) => (revokedAtMs === null ? "set" : "revoked") },
        { title: "id", cell: ({ id }) => id },
      ]),
  );
  return exitCodes.ok;
}

export async function revoke(invocation: Invocation<OverrideRevokeOptions>): Promise<ExitCode> {
  await using records = openExistingRecords(invocation);
  const override = await revokeOverride(records, invocation.options.override);
  const allowance = (await readAllowances(records.db))(override.allowanceId);
  const sentence = `Revoked override ${override.id} of ${allowance.name}: its usual limit counts again.`;
  invocation.output.result(describeOverride(override, allowance), () => `${sentence}\n`);
  return exitCodes.ok;
}
