import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { sampleEntry, sampleRecord } from "../../../../test/contract/samples.ts";
import { createTestCli, type TestCli } from "../../../../test/support/cli.ts";
import { createSystemClock } from "../../../kernel/clock.ts";
import { createIdSource, systemRandomFill } from "../../../kernel/ids.ts";
import { zeroUsd } from "../../../kernel/money.ts";
import { emptyUsage } from "../../../kernel/usage.ts";
import type { LedgerEntry } from "../../../storage/records.ts";
import { openStore } from "../../../storage/storage.ts";

const clock = createSystemClock();
const HOUR_MS = 3_600_000;

/** Calls of `own/tuned` without a price, a million tokens in and out each, as a gateway would record them. */
async function call(cli: TestCli, ...calls: readonly Partial<LedgerEntry>[]): Promise<void> {
  const tenant = await cli.json<{ id: string }>("tenant", "create", "acme");
  const ids = createIdSource(systemRandomFill, () => clock.wallMs());
  await using store = await openStore({ dataDir: join(cli.folder, ".headgate"), durability: "process", clock, ids });
  for (const [index, more] of calls.entries()) {
    const [requestId, attemptId] = [`req_${index}`, `att_${index}`];
    const payer = { tenantId: tenant.id, projectId: "prj_1", keyId: "key_1" };
    const atMs = more.atMs ?? clock.wallMs() - HOUR_MS;
    const entry = sampleEntry(requestId, attemptId, {
      payer,
      provider: "own",
      modelTarget: "own/tuned",
      modelServed: "own/tuned-v7",
      usage: { ...emptyUsage(), inputTokens: 1_000_000, outputTokens: 1_000_000 },
      costNanoUsd: zeroUsd,
      priceVersion: null,
      flags: ["unpriced"],
      ...more,
      atMs,
    });
    await store.journal.close(sampleRecord(requestId, { payer, startedAtMs: atMs - 1000 }), [entry]);
  }
}

function configure(cli: TestCli, price: string): void {
  const provider = "own: {kind: openai-compatible, baseUrl: 'http://127.0.0.1:1/v1'}";
  writeFileSync(
    join(cli.folder, "headgate.yaml"),
    `providers: {${provider}}\nprices:\n  currency: {code: EUR, perUsd: 0.5}\n  overrides: {own/tuned: ${price}}\n`,
  );
}

test("calls without a price are rated once there is one, and a second run finds nothing to do", async () => {
  using cli = createTestCli();
  await call(cli, {}, {});
  configure(cli, "{input: 1, output: 4}");
  const missing = await cli.run("prices", "missing");
  assert.equal(missing.exitCode, 5);
  assert.match(missing.stdout, /\nown\/tuned +2 +has a price: headgate prices rerate\n/);
  const first = await cli.run("prices", "rerate", "--unpriced");
  assert.equal(first.exitCode, 0);
  const version = "override/own/tuned;input=1,output=4";
  assert.ok(first.stdout.includes(`$0.00 (0.00 EUR)  $10.00 (5.00 EUR)  $10.00 (5.00 EUR)  no price -> ${version}\n`));
  assert.match(first.stdout, /\n2 of 2 attempts were rated again; 0 cost what they did, 0 have no price\.\n/);
  assert.match(first.stdout, /\nThe difference is \$10\.00 \(5\.00 EUR\)\.\n$/);
  assert.equal(
    (await cli.run("prices", "rerate", "--unpriced")).stdout,
    "0 of 2 attempts were rated again; 2 cost what they did, 0 have no price.\n",
  );
  const { total } = await cli.json<{ total: Record<string, unknown> }>("usage");
  assert.deepEqual([total["attempts"], total["unpriced"], total["costUsd"], total["costEUR"]], [2, 0, "10.00", "5.00"]);
  assert.equal((await cli.run("prices", "missing")).exitCode, 0);
});

test("a corrected price corrects what it is asked to, by time, provider and target, and a dry run nothing", async () => {
  using cli = createTestCli();
  const long = clock.wallMs() - 100 * HOUR_MS;
  await call(
    cli,
    { atMs: long },
    {},
    { modelTarget: "own/other" },
    { provider: "elsewhere", modelTarget: "elsewhere/x" },
  );
  configure(cli, "{input: 1, output: 4}");
  type Document = { rerated: number; examined: number; unknown: number; differenceUsd: string; changes: object[] };
  const rerate = (...args: string[]): Promise<Document> => cli.json("prices", "rerate", ...args);
  const dry = await rerate("--dry-run", "--since", "10h", "--provider", "own");
  assert.deepEqual([dry.examined, dry.rerated, dry.unknown, dry.differenceUsd], [2, 1, 1, "5.00"]);
  assert.equal((await rerate("--dry-run", "--until", "10h")).rerated, 1);
  assert.equal((await rerate("--dry-run", "--model", "own/other")).unknown, 1);
  const all = await rerate();
  const before = { model: "own/tuned", attempts: 2, beforeUsd: "0.00" };
  const first = { from: null, to: "override/own/tuned;input=1,output=4" };
  assert.deepEqual([all.rerated, all.changes], [2, [{ ...before, ...first, afterUsd: "10.00" }]]);
  configure(cli, "{input: 0.5, output: 1}");
  const lower = await rerate("--until", "10h");
  assert.deepEqual([lower.rerated, lower.differenceUsd], [1, "-3.50"]);
  const usage = await cli.json<{ total: { costUsd: string } }>("usage");
  assert.equal(usage.total.costUsd, "6.50");
});

test("a target may be named as it was called or as it was served, and a name that was never there is refused", async () => {
  using cli = createTestCli();
  await call(cli, {});
  configure(cli, "{input: 1, output: 4}");
  for (const model of ["own/tuned", "own/tuned-v7"]) {
    assert.equal((await cli.json<{ rerated: number }>("prices", "rerate", "--dry-run", "--model", model)).rerated, 1);
  }
  const model = await cli.run("prices", "rerate", "--model", "own/tunde");
  assert.equal(model.exitCode, 4);
  assert.match(model.stderr, /Neither the ledger nor the configuration has a model "own\/tunde"\./);
  const provider = await cli.run("prices", "rerate", "--provider", "onw");
  assert.equal(provider.exitCode, 4);
  assert.match(provider.stderr, /has a provider "onw"\. Did you mean own\?/);
});

test("a time that ends before it begins is refused", async () => {
  using cli = createTestCli();
  await call(cli, {});
  for (const command of ["prices rerate", "usage", "usage export", "requests"]) {
    const { exitCode, stderr } = await cli.run(...command.split(" "), "--since", "1h", "--until", "2h");
    assert.equal(exitCode, 2, command);
    assert.match(stderr, /--since \(\S+\) is after --until \(\S+\)\. Is it the other way round\?/, command);
  }
});

test("calls that were not billed are missing no price, and rerate says the same", async () => {
  using cli = createTestCli();
  await call(cli, { usage: emptyUsage(), basis: "none", flags: [] }, {});
  const missing = await cli.run("prices", "missing", "--json");
  assert.equal((JSON.parse(missing.stdout) as { used: { attempts: number }[] }).used[0]?.attempts, 1);
  const { unknown, unchanged } = await cli.json<{ unknown: number; unchanged: number }>(
    "prices",
    "rerate",
    "--dry-run",
  );
  assert.deepEqual([unknown, unchanged], [1, 1]);
});
