import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { sampleEntry, sampleRecord } from "../../../../test/contract/samples.ts";
import { createTestCli, type TestCli } from "../../../../test/support/cli.ts";
import { type Clock, createSystemClock } from "../../../kernel/clock.ts";
import { createIdSource, systemRandomFill } from "../../../kernel/ids.ts";
import { toNanoUsd } from "../../../kernel/money.ts";
import { emptyUsage } from "../../../kernel/usage.ts";
import type { LedgerEntry, Payer } from "../../../storage/records.ts";
import { openStore } from "../../../storage/storage.ts";

/** A moment after all of the calls. */
const clock: Clock = { ...createSystemClock(), wallMs: () => Date.UTC(2027, 1, 1) };

/** The charges of requests of one attempt each, by one key of `acme`. */
async function fill(cli: TestCli, ...charges: readonly Partial<LedgerEntry>[]): Promise<Payer> {
  const tenant = await cli.json<{ id: string }>("tenant", "create", "acme");
  const project = await cli.json<{ id: string }>("project", "create", "search");
  const key = await cli.json<{ id: string }>("key", "create", "--name", "alice");
  const payer = { tenantId: tenant.id, projectId: project.id, keyId: key.id };
  const ids = createIdSource(systemRandomFill, () => clock.wallMs());
  await using store = await openStore({ dataDir: join(cli.folder, ".headgate"), durability: "process", clock, ids });
  for (const [index, charge] of charges.entries()) {
    const [requestId, attemptId] = [`req_${index}`, `att_${index}`];
    const usage = { ...emptyUsage(), inputTokens: 100, cacheReadTokens: 10, reasoningTokens: 5 };
    const entry = sampleEntry(requestId, attemptId, {
      payer,
      usage,
      costNanoUsd: toNanoUsd(1_000_000_001n),
      ...charge,
    });
    await store.journal.close(sampleRecord(requestId, { payer }), [entry]);
  }
  return payer;
}

const evening = Date.UTC(2026, 9, 31, 23, 30);
const morning = Date.UTC(2026, 10, 1, 8, 15);

/** Rows by column. */
function parse(csv: string): readonly Readonly<Record<string, string>>[] {
  const [heading = [], ...rows] = csv
    .trimEnd()
    .split("\n")
    .map((line) =>
      [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
        ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? "",
      ),
    );
  return rows.map((row) => Object.fromEntries(row.map((cell, index) => [heading[index] ?? "", cell])));
}

test("FOCUS rows name who used what in which period, at what cost, to the nano-dollar", async () => {
  using cli = createTestCli({ clock });
  const payer = await fill(cli, { atMs: evening }, { atMs: morning }, { atMs: morning + 60_000 });
  const { stdout, exitCode } = await cli.run("usage", "export");
  assert.equal(exitCode, 0);
  const [first, second, ...others] = parse(stdout);
  assert.deepEqual(others, []);
  assert.deepEqual(
    [
      first?.["ChargePeriodStart"],
      first?.["ChargePeriodEnd"],
      first?.["BillingPeriodStart"],
      first?.["BillingPeriodEnd"],
    ],
    ["2026-10-31T00:00:00Z", "2026-11-01T00:00:00Z", "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z"],
  );
  const expected = {
    BilledCost: "2.000000002",
    EffectiveCost: "2.000000002",
    ListCost: "2.000000002",
    ContractedCost: "2.000000002",
    BillingCurrency: "USD",
    BillingAccountId: payer.tenantId,
    BillingAccountName: "acme",
    SubAccountId: payer.projectId,
    SubAccountName: "search",
    BillingPeriodStart: "2026-11-01T00:00:00Z",
    BillingPeriodEnd: "2026-12-01T00:00:00Z",
    ChargePeriodStart: "2026-11-01T00:00:00Z",
    ChargePeriodEnd: "2026-11-02T00:00:00Z",
    ChargeCategory: "Usage",
    ChargeClass: "",
    ChargeDescription: "chat with gpt-5-mini-2025-08-07",
    ChargeFrequency: "Usage-Based",
    ConsumedQuantity: "230",
    ConsumedUnit: "Tokens",
    InvoiceIssuerName: "openai",
    ProviderName: "openai",
    PublisherName: "openai",
    ServiceCategory: "AI and Machine Learning",
    ServiceSubcategory: "Generative AI",
    ServiceName: "gpt-5-mini-2025-08-07",
    SkuId: "gpt-5-mini-2025-08-07",
    ResourceId: payer.keyId,
    ResourceName: "alice",
    ResourceType: "API key",
    Tags: '{"operation":"chat"}',
    x_Requests: "2",
    x_Attempts: "2",
    x_UnpricedAttempts: "0",
    x_EstimatedAttempts: "0",
  };
  assert.deepEqual(Object.fromEntries(Object.entries(second ?? {}).slice(0, Object.keys(expected).length)), expected);
  assert.deepEqual(
    [second?.["x_InputTokens"], second?.["x_CacheReadTokens"], second?.["x_ReasoningTokens"]],
    ["200", "20", "10"],
  );
});

test("the period of a row follows what is told apart: hours, months, or the whole time asked for", async () => {
  using cli = createTestCli({ clock });
  await fill(cli, { atMs: evening }, { atMs: morning }, { atMs: morning + 14 * 3_600_000 });
  const periods = async (...args: string[]): Promise<string[]> =>
    parse((await cli.run("usage", "export", ...args)).stdout).map(
      (row) => `${row["ChargePeriodStart"]} ${row["ChargePeriodEnd"]} ${row["x_Attempts"]}`,
    );
  assert.deepEqual(await periods("--by", "hour"), [
    "2026-10-31T23:00:00Z 2026-11-01T00:00:00Z 1",
    "2026-11-01T08:00:00Z 2026-11-01T09:00:00Z 1",
    "2026-11-01T22:00:00Z 2026-11-01T23:00:00Z 1",
  ]);
  assert.deepEqual(await periods("--by", "month"), [
    "2026-10-01T00:00:00Z 2026-11-01T00:00:00Z 1",
    "2026-11-01T00:00:00Z 2026-12-01T00:00:00Z 2",
  ]);
  assert.deepEqual(await periods("--by", "tenant", "--since", "2026-11-01", "--until", "2026-11-03"), [
    "2026-11-01T00:00:00Z 2026-11-03T00:00:00Z 2",
  ]);
  assert.deepEqual(await periods("--by", "day", "--until", "2026-11-01"), [
    "2026-10-31T00:00:00Z 2026-11-01T00:00:00Z 1",
  ]);
});

test("CSV and lines of JSON have the rows of the usage report", async () => {
  using cli = createTestCli({ clock });
  await fill(cli, { atMs: evening }, { atMs: morning });
  const report = await cli.json<{ rows: unknown[] }>("usage", "--by", "day,model");
  const lines = (await cli.run("usage", "export", "--by", "day,model", "--format", "json")).stdout
    .trimEnd()
    .split("\n");
  assert.deepEqual(
    lines.map((line) => JSON.parse(line) as unknown),
    report.rows,
  );
  assert.equal((await cli.run("usage", "export", "--by", "day,model", "--json")).stdout, `${lines.join("\n")}\n`);
  const csv = await cli.run("usage", "export", "--by", "day,model", "--format", "csv");
  assert.equal(csv.stdout, (await cli.run("usage", "--by", "day,model", "--csv")).stdout);
  assert.equal((await cli.run("usage", "export", "--format", "csv", "--json")).exitCode, 2);
});

test("a time without usage is a heading without rows", async () => {
  using cli = createTestCli({ clock });
  await fill(cli);
  assert.equal(parse((await cli.run("usage", "export")).stdout).length, 0);
  assert.equal((await cli.run("usage", "export", "--format", "json")).stdout, "");
});

test("a long time is written day by day, and never held as a whole", async () => {
  using cli = createTestCli({ clock });
  const days = Array.from({ length: 40 }, (_, day) => ({ atMs: morning + day * 86_400_000 }));
  await fill(cli, ...days);
  const written: number[] = [];
  const running = cli.start("usage", "export", "--by", "day", "--format", "csv", "--until", "2027-01-01");
  written.push((await running.ready).split("\n").length);
  const { stdout } = await running.result;
  assert.deepEqual(written, [2]);
  assert.equal(stdout.trimEnd().split("\n").length, 41);
});

test("usage shows the operator's currency beside dollars, and exports stay in dollars", async () => {
  using cli = createTestCli({ clock });
  await fill(cli, { atMs: morning });
  writeFileSync(join(cli.folder, "headgate.yaml"), "prices: {currency: {code: EUR, perUsd: 0.9}}\n");
  assert.match((await cli.run("usage")).stdout, / COST +EUR\n.*\$1\.000000001 +0\.90\n/);
  const { total } = await cli.json<{ total: Record<string, unknown> }>("usage");
  assert.deepEqual([total["costUsd"], total["costEUR"]], ["1.000000001", "0.90"]);
  assert.equal(parse((await cli.run("usage", "export")).stdout)[0]?.["BilledCost"], "1.000000001");
});
