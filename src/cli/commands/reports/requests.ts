import { formatUsd } from "../../../kernel/money.ts";
import { totalInputTokens, totalOutputTokens } from "../../../kernel/usage.ts";
import type { Ending, RequestRecord } from "../../../storage/records.ts";
import { listRequests } from "../../../storage/reports/request-list.ts";
import type { Invocation } from "../../command.ts";
import { type ExitCode, exitCodes } from "../../exit-codes.ts";
import { formatCount, renderTable } from "../../table.ts";
import { decimalUsd } from "../../values/money-text.ts";
import type { StatusRange } from "../../values/status.ts";
import { formatInstant, formatMicroseconds, isoTime } from "../../values/time-text.ts";
import { loadSettings, openExistingRecords } from "../../workspace.ts";
import { type Names, readNames } from "../tenancy/names.ts";
import { checkKnown } from "./known-names.ts";
import { readScope, type ScopeOptions } from "./report-scope.ts";

export interface RequestsOptions extends Omit<ScopeOptions, "project" | "provider"> {
  readonly limit: number;
  readonly status: StatusRange | null;
  readonly ending: Ending | null;
}

export async function run(invocation: Invocation<RequestsOptions>): Promise<ExitCode> {
  await using records = openExistingRecords(invocation);
  const { options, output } = invocation;
  const scope = await readScope(records, options);
  await checkKnown(records, loadSettings(invocation).config, scope);
  const { limit, status, ending } = options;
  const { records: requests } = await listRequests(records.db, { ...scope, limit, status, ending });
  const names = await readNames(records.db);
  output.result({ requests: requests.map((request) => describe(request, names)) }, () =>
    requests.length === 0 ? "No such requests.\n" : renderRequests(requests, names),
  );
  return exitCodes.ok;
}

function renderRequests(requests: readonly RequestRecord[], names: Names): string {
  return renderTable(requests, [
    { title: "started (UTC)", cell: ({ startedAtMs }) => formatInstant(startedAtMs) },
    { title: "key", cell: ({ payer }) => (payer === null ? "-" : names.key(payer.keyId)) },
    { title: "model", cell: ({ modelServed, modelAsked, path }) => modelServed ?? modelAsked ?? path },
    { title: "status", cell: ({ status }) => String(status), align: "right" },
    { title: "ending", cell: ({ ending, errorCode }) => (errorCode === null ? ending : `${ending} (${errorCode})`) },
    { title: "input", cell: ({ usage }) => formatCount(totalInputTokens(usage)), align: "right" },
    { title: "output", cell: ({ usage }) => formatCount(totalOutputTokens(usage)), align: "right" },
    { title: "cost", cell: ({ costNanoUsd }) => formatUsd(costNanoUsd), align: "right" },
    { title: "first", cell: ({ firstTokenUs }) => formatMicroseconds(firstTokenUs), align: "right" },
    { title: "total", cell: ({ totalUs }) => formatMicroseconds(totalUs), align: "right" },
    { title: "id", cell: ({ requestId }) => requestId },
  ]);
}

function describe(request: RequestRecord, names: Names): Readonly<Record<string, unknown>> {
  const { startedAtMs, payer, costNanoUsd, savedNanoUsd, ...rest } = request;
  return {
    ...rest,
    startedAt: isoTime(startedAtMs),
    tenant: payer === null ? null : { id: payer.tenantId, name: names.tenant(payer.tenantId) },
    project: payer === null ? null : { id: payer.projectId, name: names.project(payer.projectId) },
    key: payer === null ? null : { id: payer.keyId, name: names.key(payer.keyId) },
    costUsd: decimalUsd(costNanoUsd),
    savedUsd: decimalUsd(savedNanoUsd),
  };
}
