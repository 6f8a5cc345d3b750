import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { sampleEntry, sampleHold, sampleRecord, sampleUsage } from "../../../../test/contract/samples.ts";
import { createTestCli, type TestCli } from "../../../../test/support/cli.ts";
import { createSystemClock } from "../../../kernel/clock.ts";
import { createIdSource, systemRandomFill } from "../../../kernel/ids.ts";
import { toNanoUsd } from "../../../kernel/money.ts";
import type { LedgerEntry, Payer, RequestRecord } from "../../../storage/records.ts";
import { openStore } from "../../../storage/storage.ts";

const clock = createSystemClock();
const HOUR_MS = 3_600_000;

/** A tenant `acme` with a project `search` and a key `alice`. */
async function createPayer(cli: TestCli): Promise<Payer> {
  const tenant = await cli.json<{ id: string }>("tenant", "create", "acme");
  const project = await cli.json<{ id: string }>("project", "create", "search");
  const key = await cli.json<{ id: string }>("key", "create", "--name", "alice");
  return { tenantId: tenant.id, projectId: project.id, keyId: key.id };
}

/** Stores requests of one attempt each, as a gateway would. */
async function store(
  cli: TestCli,
  rows: readonly { readonly record: Partial<RequestRecord>; readonly entry: Partial<LedgerEntry> | null }[],
): Promise<void> {
  const ids = createIdSource(systemRandomFill, () => clock.wallMs());
  await using opened = await openStore({ dataDir: join(cli.folder, ".headgate"), durability: "process", clock, ids });
  for (const [index, { record, entry }] of rows.entries()) {
    const [requestId, attemptId] = [`req_${index}`, `att_${index}`];
    const payer = record.payer ?? null;
    const entries: LedgerEntry[] = [];
    if (entry !== null && payer !== null) {
      await opened.journal.open(sampleHold(requestId, attemptId, { payer }));
      entries.push(sampleEntry(requestId, attemptId, { payer, ...entry }));
    }
    await opened.journal.close(sampleRecord(requestId, record), entries);
  }
}

async function fill(cli: TestCli): Promise<void> {
  const payer = await createPayer(cli);
  const now = clock.wallMs();
  await store(cli, [
    {
      record: { payer, startedAtMs: now - 60_000, modelServed: "openai/gpt-5" },
      entry: { atMs: now - 60_000, modelServed: "openai/gpt-5", costNanoUsd: toNanoUsd(1_500_000_001n) },
    },
    {
      record: { payer, startedAtMs: now - 50 * HOUR_MS, modelServed: "vllm/own", status: 502, ending: "truncated" },
      entry: {
        atMs: now - 50 * HOUR_MS,
        provider: "vllm",
        modelServed: "vllm/own",
        usage: sampleUsage(10, 0),
        costNanoUsd: toNanoUsd(0n),
        basis: "metered",
        flags: ["unpriced", "estimated"],
      },
    },
    {
      record: {
        payer: null,
        status: 401,
        ending: "refused",
        errorCode: "invalid_api_key",
        modelServed: null,
        modelAsked: null,
      },
      entry: null,
    },
  ]);
}

test("usage adds up to the nano-dollar, and says what is unpriced or estimated", async () => {
  using cli = createTestCli();
  await fill(cli);
  const { stdout } = await cli.run("usage", "--by", "tenant,model");
  assert.match(stdout, /^TENANT  MODEL +REQUESTS  ATTEMPTS  INPUT  CACHED  OUTPUT  REASONING +COST\n/);
  assert.match(stdout, /\nacme +openai\/gpt-5 +1 +1 +100 +12 +50 +0  \$1\.500000001\n/);
  assert.match(stdout, /\ntotal +2 +2 +110 +24 +50 +0  \$1\.500000001\n/);
  assert.match(stdout, /\n1 of 2 attempts have no known price: see headgate prices missing\.\n/);
  assert.match(
    stdout,
    /\n1 of 2 attempts are charged by our own count or a worst case: what they used is not known from their providers\.\n/,
  );
});

test("usage is narrowed by time, tenant, project, key, provider and model", async () => {
  using cli = createTestCli();
  await fill(cli);
  const requests = async (...args: string[]): Promise<number> =>
    (await cli.json<{ total: { requests: number } }>("usage", ...args)).total.requests;
  assert.equal(await requests(), 2);
  assert.equal(await requests("--since", "24h"), 1);
  assert.equal(await requests("--until", "24h"), 1);
  assert.equal(await requests("--tenant", "acme", "--project", "search", "--key", "alice"), 2);
  assert.equal(await requests("--provider", "vllm"), 1);
  assert.equal(await requests("--model", "openai/gpt-5"), 1);
  assert.equal((await cli.run("usage", "--tenant", "nobody")).exitCode, 4);
  assert.equal((await cli.run("usage", "--since", "1m")).stdout, "Nothing was used in that time.\n");
});

test("usage as JSON names groups by id and name, and money is decimal text", async () => {
  using cli = createTestCli();
  await fill(cli);
  const document = await cli.json<{ rows: Record<string, any>[]; since: string }>(
    "usage",
    "--by",
    "key",
    "--since",
    "1d",
  );
  assert.match(document.since, /^\d{4}-\d\d-\d\dT/);
  const [row] = document.rows;
  assert.equal(row?.["group"].key.name, "alice");
  assert.match(row?.["group"].key.id, /^key_/);
  assert.equal(row?.["costUsd"], "1.500000001");
  assert.equal(row?.["usage"].inputTokens, 100);
});

test("usage is told apart by month, hour, operation and end user", async () => {
  using cli = createTestCli();
  await fill(cli);
  const groups = async (by: string): Promise<unknown[]> => {
    const { rows } = await cli.json<{ rows: { group: unknown }[] }>("usage", "--by", by, "--since", "24h");
    return rows.map(({ group }) => group);
  };
  assert.deepEqual(await groups("operation,end-user"), [{ "end-user": "user-7", operation: "chat" }]);
  const [times] = await groups("month,hour");
  const { month, hour } = times as { month: string; hour: string };
  assert.match(hour, /^\d{4}-\d\d-\d\dT\d\d:00$/);
  assert.ok(hour.startsWith(`${month}-`));
});

test("usage as CSV has a heading and one line a group", async () => {
  using cli = createTestCli();
  await fill(cli);
  const lines = (await cli.run("usage", "--by", "model", "--csv")).stdout.split("\n");
  assert.match(lines[0] ?? "", /^model,requests,attempts,inputTokens,.*,costUsd,unpriced,estimated$/);
  assert.match(lines[1] ?? "", /^openai\/gpt-5,1,1,100,.*,1\.500000001,0,0$/);
  assert.equal(lines.length, 4);
  assert.equal((await cli.run("usage", "--csv", "--json")).exitCode, 2);
});

test("requests shows the newest first, and finds them by status, ending and time", async () => {
  using cli = createTestCli();
  await fill(cli);
  const ids = async (...args: string[]): Promise<string[]> => {
    const { requests } = await cli.json<{ requests: { requestId: string }[] }>("requests", ...args);
    return requests.map(({ requestId }) => requestId);
  };
  assert.deepEqual(await ids(), ["req_2", "req_1", "req_0"]);
  assert.deepEqual(await ids("--limit", "1"), ["req_2"]);
  assert.deepEqual(await ids("--status", "401"), ["req_2"]);
  assert.deepEqual(await ids("--status", "5xx"), ["req_1"]);
  assert.deepEqual(await ids("--ending", "truncated"), ["req_1"]);
  assert.deepEqual(await ids("--since", "1h"), ["req_0"]);
  assert.deepEqual(await ids("--key", "alice", "--model", "openai/gpt-5"), ["req_0"]);
  const { stdout } = await cli.run("requests");
  assert.match(stdout, /^STARTED \(UTC\) +KEY +MODEL +STATUS +ENDING /);
  assert.match(stdout, / - .* 401  refused \(invalid_api_key\) .*req_2\n/);
  assert.equal((await cli.run("requests", "--status", "200", "--ending", "killed")).stdout, "No such requests.\n");
});

test("requests as JSON has every field of the record", async () => {
  using cli = createTestCli();
  await fill(cli);
  const { requests } = await cli.json<{ requests: Record<string, any>[] }>("requests", "--since", "1h");
  const [request] = requests;
  assert.equal(request?.["key"].name, "alice");
  assert.equal(request?.["costUsd"], "9007199.254740995");
  assert.equal(request?.["savedUsd"], "9007199.254740993");
  assert.deepEqual(request?.["losses"], ["logit_bias", "seed"]);
  assert.match(request?.["startedAt"], /Z$/);
});

test("the last use of a key is known from its requests", async () => {
  using cli = createTestCli();
  await fill(cli);
  const { keys } = await cli.json<{ keys: { lastUsedAt: string }[] }>("key", "list");
  const age = clock.wallMs() - Date.parse(keys[0]?.lastUsedAt ?? "");
  assert.ok(age >= 60_000 && age < HOUR_MS, String(age));
});

test("models lists aliases with their targets, and models with price and context window", async () => {
  using cli = createTestCli({ env: { OPENAI_API_KEY: "sk-test-not-a-key" } });
  const { models } = await cli.json<{ models: Record<string, any>[] }>("models", "gpt-5-mini");
  const mini = models.find(({ id }) => id === "openai/gpt-5-mini");
  assert.match(mini?.["price"].input, /^\d+\.\d+$/);
  assert.ok(mini?.["contextTokens"] > 100_000);
  assert.match(
    (await cli.run("models", "gpt-5-mini")).stdout,
    /\nopenai\/gpt-5-mini +\$[\d.]+ +\$[\d.]+ +\$[\d.]+ +[\d,]+\n/,
  );
  assert.equal((await cli.run("models", "no-such-model")).stdout, "No such models.\n");
});

test("without a provider, models are the simulator's, and that is said", async () => {
  using cli = createTestCli();
  const { stdout, stderr } = await cli.run("models");
  assert.match(stdout, /\nsimulator\/sim-chat +\$1\.00 +\$0\.10 +\$4\.00 +1,000,000\n/);
  assert.match(stderr, /No provider is configured/);
});

test("a model or provider that was never there is refused with what is near, not shown as nothing used", async () => {
  using cli = createTestCli();
  await fill(cli);
  for (const command of [["usage"], ["usage", "export"], ["requests"]]) {
    const { exitCode, stderr } = await cli.run(...command, "--model", "openai/gtp-5");
    assert.equal(exitCode, 4, command.join(" "));
    assert.match(stderr, /has a model "openai\/gtp-5"\. Did you mean openai\/gpt-5\?/);
  }
  const { exitCode, stderr } = await cli.run("usage", "--provider", "nowhere");
  assert.equal(exitCode, 4);
  assert.match(stderr, /has a provider "nowhere"\. `headgate usage --by provider` lists those that were used\./);
});

test("a dimension given twice is one column", async () => {
  using cli = createTestCli();
  await fill(cli);
  const { stdout } = await cli.run("usage", "--by", "model,model");
  assert.match(stdout, /^MODEL +REQUESTS /);
});
