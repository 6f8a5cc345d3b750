import type { ReconcileReport } from "../../../accounting/reconcile.ts";
import { reconcile } from "../../../exchange/reconciliation.ts";
import { addUsd, formatUsd, type NanoUsd, zeroUsd } from "../../../kernel/money.ts";
import { createUndiciTransport } from "../../../providers/undici-transport.ts";
import type { Invocation } from "../../command.ts";
import { reasonOf } from "../../doctor/finding.ts";
import { type ExitCode, exitCodes } from "../../exit-codes.ts";
import { viewGateway } from "../../gateway-view.ts";
import { renderTable } from "../../table.ts";
import { decimalUsd } from "../../values/money-text.ts";
import { loadSettingsWithKeys, openExistingRecords } from "../../workspace.ts";

export interface ReconcileOptions {
  readonly provider: string | null;
}

interface Outcome extends ReconcileReport {
  readonly provider: string;
  /** Of the appended corrections, signed. */
  readonly differenceNanoUsd: NanoUsd;
}

export async function run(invocation: Invocation<ReconcileOptions>): Promise<ExitCode> {
  const { context, options, output } = invocation;
  await using records = openExistingRecords(invocation);
  const { config } = loadSettingsWithKeys(invocation);
  const snapshot = viewGateway(config, context);
  await using transport = createUndiciTransport({ connectTimeoutMs: config.timeouts.connectMs, connectionsMax: 32 });
  const differences = new Map<string, NanoUsd>();
  const differenceOf = (provider: string): NanoUsd => differences.get(provider) ?? zeroUsd;
  const reports = await reconcile(
    {
      clock: context.clock,
      transport,
      db: records.db,
      lookupFailed: (provider, reason) => output.note(`${provider} cannot be asked: ${reasonOf(reason)}`),
      corrected: ({ provider, costNanoUsd }) => differences.set(provider, addUsd(differenceOf(provider), costNanoUsd)),
    },
    snapshot,
    options.provider === null ? {} : { provider: options.provider },
    new AbortController().signal,
  );
  const outcomes: readonly Outcome[] = Array.from(reports, ([provider, report]) => ({
    provider,
    ...report,
    differenceNanoUsd: differenceOf(provider),
  }));
  output.result({ providers: outcomes.map(describe) }, () => renderOutcomes(outcomes));
  return outcomes.some(({ failed }) => failed > 0) ? exitCodes.failure : exitCodes.ok;
}

function describe({ differenceNanoUsd, ...rest }: Outcome): Readonly<Record<string, unknown>> {
  return { ...rest, differenceUsd: decimalUsd(differenceNanoUsd) };
}

function renderOutcomes(outcomes: readonly Outcome[]): string {
  if (outcomes.length === 0) return "No configured provider can say afterwards what a call used.\n";
  return renderTable(outcomes, [
    { title: "provider", cell: ({ provider }) => provider },
    { title: "corrected", cell: ({ corrected }) => String(corrected), align: "right" },
    { title: "by", cell: ({ differenceNanoUsd }) => formatUsd(differenceNanoUsd), align: "right" },
    { title: "pending", cell: ({ pending }) => String(pending), align: "right" },
    { title: "unknown", cell: ({ unknown }) => String(unknown), align: "right" },
    { title: "overtaken", cell: ({ overtaken }) => String(overtaken), align: "right" },
    { title: "failed", cell: ({ failed }) => String(failed), align: "right" },
  ]);
}
