import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { sampleRecord } from "../../../../test/contract/samples.ts";
import { createTestCli, type TestCli } from "../../../../test/support/cli.ts";
import { createSystemClock } from "../../../kernel/clock.ts";
import { createIdSource, systemRandomFill } from "../../../kernel/ids.ts";
import { toNanoUsd } from "../../../kernel/money.ts";
import type { Reuse } from "../../../storage/records.ts";
import { openStore, type Store } from "../../../storage/storage.ts";

const clock = createSystemClock();
const ids = createIdSource(systemRandomFill, () => clock.wallMs());
const HOUR_MS = 3_600_000;

function open(cli: TestCli): Promise<Store> {
  return openStore({ dataDir: join(cli.folder, ".headgate"), durability: "process", clock, ids });
}

interface Requested {
  readonly tenantId: string;
  readonly reuse: Reuse | null;
  readonly saved?: bigint;
  readonly ageMs?: number;
}

async function record(store: Store, requests: readonly Requested[]): Promise<void> {
  for (const { tenantId, reuse, saved = 0n, ageMs = 0 } of requests) {
    const payer = { tenantId, projectId: "prj_1", keyId: "key_1" };
    const startedAtMs = clock.wallMs() - ageMs;
    const savedNanoUsd = toNanoUsd(saved);
    await store.journal.close(sampleRecord(ids.next("req"), { payer, reuse, savedNanoUsd, startedAtMs }), []);
  }
}

async function keep(store: Store, cacheKey: string, tenantId: string, modelAsked: string): Promise<void> {
  const atMs = clock.wallMs();
  const answer = { requestId: "req_1", kind: "whole" as const, atMs, headers: [], body: Buffer.alloc(976) };
  const served = { modelServed: "openai/gpt-5", provider: "openai", costNanoUsd: toNanoUsd(1n) };
  await store.answers.cache({
    cacheKey,
    tenantId,
    modelAsked,
    expiresAtMs: atMs + HOUR_MS,
    answer: { ...answer, ...served },
  });
}

/** Tenants `acme` and `beta` with requests and cached answers of both. */
async function fill(cli: TestCli): Promise<void> {
  const acme = (await cli.json<{ id: string }>("tenant", "create", "acme")).id;
  const beta = (await cli.json<{ id: string }>("tenant", "create", "beta")).id;
  await using store = await open(cli);
  await record(store, [
    { tenantId: acme, reuse: "miss" },
    { tenantId: acme, reuse: "hit", saved: 1_000_000_000n },
    { tenantId: acme, reuse: "hit", saved: 500_000_000n, ageMs: 2 * HOUR_MS },
    { tenantId: acme, reuse: "joined", saved: 250_000_000n },
    { tenantId: acme, reuse: "semantic", saved: 100_000_000n },
    { tenantId: acme, reuse: "miss", saved: -100_000_000n },
    { tenantId: acme, reuse: null },
    { tenantId: beta, reuse: "replayed", saved: 1n },
    { tenantId: beta, reuse: "bypass" },
  ]);
  await keep(store, "a", acme, "fast");
  await keep(store, "b", acme, "slow");
  await keep(store, "c", beta, "fast");
}

test("cache stats counts by tenant and model, and says what was saved and what is kept", async () => {
  using cli = createTestCli();
  await fill(cli);
  const stats = await cli.json("cache", "stats");
  const none = { hit: 0, semantic: 0, joined: 0, replayed: 0, miss: 0, bypass: 0 };
  assert.deepEqual(stats, {
    since: null,
    until: null,
    rows: [
      {
        tenant: "acme",
        model: "fast",
        requests: { ...none, hit: 2, semantic: 1, joined: 1, miss: 2 },
        savedUsd: "1.75",
        kept: { answers: 1, bytes: 2000 },
      },
      {
        tenant: "beta",
        model: "fast",
        requests: { ...none, replayed: 1, bypass: 1 },
        savedUsd: "0.000000001",
        kept: { answers: 1, bytes: 2000 },
      },
      { tenant: "acme", model: "slow", requests: none, savedUsd: "0", kept: { answers: 1, bytes: 2000 } },
    ],
    saved: { requests: 5, usd: "1.750000001" },
  });
  const recent = await cli.json<{ saved: object }>("cache", "stats", "--since", "1h", "--tenant", "acme");
  assert.deepEqual(recent.saved, { requests: 3, usd: "1.25" });
  const { stdout } = await cli.run("cache", "stats");
  assert.match(stdout, /^TENANT +MODEL +HIT +SEMANTIC +JOINED +REPLAYED +MISS +BYPASS +SAVED +KEPT +BYTES$/m);
  assert.match(stdout, /^5 answered without a call, \$1\.750000001 saved\.$/m);
});

test("cache stats of a store where nothing was shared says so", async () => {
  using cli = createTestCli();
  await cli.run("tenant", "create", "acme");
  const { stdout } = await cli.run("cache", "stats");
  assert.equal(stdout, "Nothing was cached, and no request came with an Idempotency-Key.\n");
});

test("usage says what was saved", async () => {
  using cli = createTestCli();
  await fill(cli);
  const { saved } = await cli.json<{ saved: object }>("usage", "--tenant", "acme");
  assert.deepEqual(saved, { requests: 4, usd: "1.75" });
  const { stdout } = await cli.run("usage");
  assert.match(
    stdout,
    /^5 requests were answered without a call, which saved \$1\.750000001: headgate cache stats\.$/m,
  );
});

test("cache purge drops what it is told to, and wants to be told", async () => {
  using cli = createTestCli();
  await fill(cli);
  const both = await cli.json("cache", "purge", "--tenant", "acme", "--model", "fast");
  assert.deepEqual(both, { tenant: "acme", model: "fast", dropped: 1 });
  const { stdout } = await cli.run("cache", "purge", "--model", "openai/gpt-5");
  assert.equal(stdout, "Dropped 2 answers. Running gateways give none of them any more.\n");
  assert.deepEqual(await cli.json("cache", "purge", "--all"), { tenant: null, model: null, dropped: 0 });
  for (const wrong of [[], ["--all", "--model", "fast"]]) {
    const refused = await cli.run("cache", "purge", ...wrong);
    assert.equal(refused.exitCode, 2, refused.stderr);
    assert.match(refused.stderr, /--all/);
  }
  assert.match((await cli.run("cache", "purge", "--tenant", "nobody")).stderr, /nobody/);
});
