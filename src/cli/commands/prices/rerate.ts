import type { RerateChange, RerateReport } from "../../../accounting/rerate.ts";
import { rerateCalls } from "../../../exchange/rerating.ts";
import { addUsd, toNanoUsd, zeroUsd, type NanoUsd } from "../../../kernel/money.ts";
import type { Invocation } from "../../command.ts";
import { type ExitCode, exitCodes } from "../../exit-codes.ts";
import { formatCount, renderTable } from "../../table.ts";
import { formatMoney } from "../../values/currency.ts";
import { type Moment, timeRange } from "../../values/moment.ts";
import { decimalUsd } from "../../values/money-text.ts";
import { isoTime } from "../../values/time-text.ts";
import { openExistingRecords } from "../../workspace.ts";
import { checkKnown } from "../reports/known-names.ts";
import { openPrices } from "./price-view.ts";

export interface RerateCommandOptions {
  readonly since: Moment | null;
  readonly until: Moment | null;
  readonly provider: string | null;
  readonly model: string | null;
  readonly unpriced: boolean;
  readonly dryRun: boolean;
}

export async function run(invocation: Invocation<RerateCommandOptions>): Promise<ExitCode> {
  const { context, options, output } = invocation;
  const { book, config } = openPrices(invocation);
  await using records = openExistingRecords(invocation);
  const calls = {
    ...timeRange(options, context.clock.wallMs()),
    provider: options.provider,
    model: options.model,
  };
  await checkKnown(records, config, calls);
  const report = await rerateCalls(
    { clock: context.clock, db: records.db },
    { prices: book },
    calls,
    { unpricedOnly: options.unpriced, dryRun: options.dryRun },
    new AbortController().signal,
  );
  const { changes, ...counts } = report;
  const document = {
    since: isoTime(calls.fromMs),
    until: isoTime(calls.toMs),
    dryRun: options.dryRun,
    ...counts,
    differenceUsd: decimalUsd(differenceOf(changes)),
    changes: changes.map(describe),
  };
  const { currency } = config.prices;
  output.result(document, () => renderReport(report, options.dryRun, (amount) => formatMoney(amount, currency)));
  return exitCodes.ok;
}

function describe({ model, fromVersion, toVersion, attempts, beforeNanoUsd, afterNanoUsd }: RerateChange): unknown {
  const costs = { beforeUsd: decimalUsd(beforeNanoUsd), afterUsd: decimalUsd(afterNanoUsd) };
  return { model, from: fromVersion, to: toVersion, attempts, ...costs };
}

function differenceOf(changes: readonly RerateChange[]): NanoUsd {
  return changes.reduce((sum, change) => addUsd(sum, changeOf(change)), zeroUsd);
}

function changeOf({ beforeNanoUsd, afterNanoUsd }: RerateChange): NanoUsd {
  return toNanoUsd(afterNanoUsd - beforeNanoUsd);
}

function renderReport(report: RerateReport, dryRun: boolean, money: (amount: NanoUsd) => string): string {
  const { examined, unchanged, unknown, rerated, overtaken, changes } = report;
  const done = dryRun ? "would be rated again (dry run)" : "were rated again";
  const counts = `${formatCount(rerated)} of ${formatCount(examined)} attempts ${done}; ${formatCount(unchanged)} cost what they did, ${formatCount(unknown)} have no price.\n`;
  const left = `${formatCount(overtaken)} were corrected by somebody else each time this tried: run it again.\n`;
  const summary = overtaken === 0 ? counts : counts + left;
  if (changes.length === 0) return summary;
  const table = renderTable(changes, [
    { title: "model", cell: ({ model }) => model },
    { title: "attempts", cell: ({ attempts }) => formatCount(attempts), align: "right" },
    { title: "was", cell: ({ beforeNanoUsd }) => money(beforeNanoUsd), align: "right" },
    { title: "is", cell: ({ afterNanoUsd }) => money(afterNanoUsd), align: "right" },
    { title: "difference", cell: (change) => money(changeOf(change)), align: "right" },
    { title: "by", cell: ({ fromVersion, toVersion }) => `${fromVersion ?? "no price"} -> ${toVersion}` },
  ]);
  return `${table}\n${summary}The difference is ${money(differenceOf(changes))}.\n`;
}
