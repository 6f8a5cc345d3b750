import { formatUsd } from "../../../kernel/money.ts";
import { openAnswers } from "../../../storage/answers/open-answers.ts";
import type { CachedSums } from "../../../storage/answers/answers.ts";
import { reportReuse, type ReuseRow, totalSavings } from "../../../storage/reports/reuse-report.ts";
import { databaseOptionsOf } from "../../../storage/storage.ts";
import type { Invocation } from "../../command.ts";
import { type ExitCode, exitCodes } from "../../exit-codes.ts";
import { type Column, formatCount, renderTable } from "../../table.ts";
import { formatMoney } from "../../values/currency.ts";
import { type Moment, timeRange } from "../../values/moment.ts";
import { decimalUsd } from "../../values/money-text.ts";
import { isoTime } from "../../values/time-text.ts";
import { loadSettings, openExistingRecords } from "../../workspace.ts";
import { tenantIdOf } from "../budget/reference.ts";
import { type Names, readNames } from "../tenancy/names.ts";

export interface CacheStatsOptions {
  readonly since: Moment | null;
  readonly until: Moment | null;
  readonly tenant: string | null;
}

/** Of one tenant and model: what was asked, and what the cache holds now. */
interface Line {
  readonly tenantId: string;
  readonly modelAsked: string;
  readonly reuse: ReuseRow | null;
  readonly kept: CachedSums | null;
}

export async function stats(invocation: Invocation<CacheStatsOptions>): Promise<ExitCode> {
  await using records = openExistingRecords(invocation);
  const { config } = loadSettings(invocation);
  const { clock } = invocation.context;
  await using kept = openAnswers(databaseOptionsOf(config.storage), clock);
  const { options, output } = invocation;
  const range = timeRange(options, clock.wallMs());
  const tenantId = await tenantIdOf(records.db, options.tenant);
  const reuse = await reportReuse(records.db, { ...range, tenantId });
  const sums = await kept.answers.sumCached();
  const lines = joinLines(reuse, tenantId === null ? sums : sums.filter((each) => each.tenantId === tenantId));
  const names = await readNames(records.db);
  const total = totalSavings(reuse);
  const document = {
    since: isoTime(range.fromMs),
    until: isoTime(range.toMs),
    rows: lines.map((line) => describe(line, names)),
    saved: { requests: total.requests, usd: decimalUsd(total.savedNanoUsd) },
  };
  output.result(document, () => {
    if (lines.length === 0) return "Nothing was cached, and no request came with an Idempotency-Key.\n";
    const what = `${formatCount(total.requests)} answered without a call`;
    return `${renderTable(lines, columns(names))}\n${what}, ${formatMoney(total.savedNanoUsd, config.prices.currency)} saved.\n`;
  });
  return exitCodes.ok;
}

function joinLines(reuse: readonly ReuseRow[], sums: readonly CachedSums[]): readonly Line[] {
  const lines = new Map<string, Line>();
  const keyOf = (row: ReuseRow | CachedSums): string => JSON.stringify([row.tenantId, row.modelAsked]);
  for (const row of reuse) lines.set(keyOf(row), { ...row, reuse: row, kept: null });
  for (const row of sums) lines.set(keyOf(row), { ...row, reuse: lines.get(keyOf(row))?.reuse ?? null, kept: row });
  return [...lines.values()];
}

function describe({ tenantId, modelAsked, reuse, kept }: Line, names: Names): Readonly<Record<string, unknown>> {
  return {
    tenant: names.tenant(tenantId),
    model: modelAsked,
    requests: {
      hit: reuse?.requests.hit ?? 0,
      semantic: reuse?.requests.semantic ?? 0,
      joined: reuse?.requests.joined ?? 0,
      replayed: reuse?.requests.replayed ?? 0,
      miss: reuse?.requests.miss ?? 0,
      bypass: reuse?.requests.bypass ?? 0,
    },
    savedUsd: reuse === null ? "0" : decimalUsd(reuse.savedNanoUsd),
    kept: { answers: kept?.answers ?? 0, bytes: kept?.bytes ?? 0 },
  };
}

function columns(names: Names): readonly Column<Line>[] {
  const count = (title: string, of: (line: Line) => number): Column<Line> => {
    return { title, cell: (line) => formatCount(of(line)), align: "right" };
  };
  return [
    { title: "tenant", cell: ({ tenantId }) => names.tenant(tenantId) },
    { title: "model", cell: ({ modelAsked }) => modelAsked },
    count("hit", ({ reuse }) => reuse?.requests.hit ?? 0),
    count("semantic", ({ reuse }) => reuse?.requests.semantic ?? 0),
    count("joined", ({ reuse }) => reuse?.requests.joined ?? 0),
    count("replayed", ({ reuse }) => reuse?.requests.replayed ?? 0),
    count("miss", ({ reuse }) => reuse?.requests.miss ?? 0),
    count("bypass", ({ reuse }) => reuse?.requests.bypass ?? 0),
    { title: "saved", cell: ({ reuse }) => (reuse === null ? "" : formatUsd(reuse.savedNanoUsd)), align: "right" },
    count("kept", ({ kept }) => kept?.answers ?? 0),
    count("bytes", ({ kept }) => kept?.bytes ?? 0),
  ];
}
