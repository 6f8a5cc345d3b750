import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { sampleEntry, sampleHold, sampleRecord } from "../../../../test/contract/samples.ts";
import { createTestCli, type TestCli } from "../../../../test/support/cli.ts";
import { createSystemClock } from "../../../kernel/clock.ts";
import { createIdSource, systemRandomFill } from "../../../kernel/ids.ts";
import { toNanoUsd, zeroUsd } from "../../../kernel/money.ts";
import { emptyUsage } from "../../../kernel/usage.ts";
import { startSimulator } from "../../../simulator/simulator.ts";
import { openStore } from "../../../storage/storage.ts";

const clock = createSystemClock();

function configure(cli: TestCli, url: string): void {
  writeFileSync(join(cli.folder, "headgate.yaml"), `providers:\n  simulator:\n    baseUrl: ${url}/v1\n`);
}

/** A charge of nothing, by our own count. */
async function charge(cli: TestCli, attemptId: string, atMs: number): Promise<void> {
  const ids = createIdSource(systemRandomFill, () => clock.wallMs());
  await using store = await openStore({ dataDir: join(cli.folder, ".headgate"), durability: "process", clock, ids });
  const requestId = `req_${attemptId}`;
  await store.journal.open(sampleHold(requestId, attemptId, { provider: "simulator" }));
  const replaced = {
    provider: "simulator",
    modelTarget: "simulator/sim-chat",
    modelServed: "simulator/sim-chat",
    basis: "metered" as const,
    usage: emptyUsage(),
    costNanoUsd: zeroUsd,
    atMs,
  };
  await store.journal.close(sampleRecord(requestId), [sampleEntry(requestId, attemptId, replaced)]);
}

test("a charge by our own count is corrected to what the provider says, once", async () => {
  using cli = createTestCli();
  await using simulator = await startSimulator({ clock });
  configure(cli, simulator.url);
  await fetch(`${simulator.url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: "Bearer sk-test", "content-type": "application/json", "x-client-request-id": "att_1" },
    body: JSON.stringify({ model: "sim-chat:tokens=20", messages: [{ role: "user", content: "hello" }] }),
  }).then((response) => response.text());
  await charge(cli, "att_1", clock.wallMs());
  const [line] = simulator.invoice();
  assert.ok(line);

  const first = await cli.json<{ providers: Record<string, unknown>[] }>("usage", "reconcile");
  const differenceUsd = `0.${toNanoUsd(line.costNanoUsd).toString().padStart(9, "0").replace(/0+$/, "")}`;
  assert.deepEqual(first.providers, [
    { provider: "simulator", corrected: 1, pending: 0, unknown: 0, overtaken: 0, failed: 0, differenceUsd },
  ]);
  const usage = await cli.json<{ total: { costUsd: string } }>("usage");
  assert.equal(usage.total.costUsd, differenceUsd);
  assert.match((await cli.run("usage", "reconcile")).stdout, /\nsimulator +0 +\$0\.00 +0 +0 +0 +0\n/);
});

test("a provider that cannot be reached is told, and the exit code says so", async () => {
  using cli = createTestCli();
  await using simulator = await startSimulator({ clock });
  configure(cli, await simulator.refusedUrl());
  await charge(cli, "att_1", clock.wallMs());
  const { exitCode, stdout, stderr } = await cli.run("usage", "reconcile");
  assert.equal(exitCode, 1);
  assert.match(stdout, /\nsimulator +0 +\$0\.00 +0 +0 +0 +1\n/);
  assert.match(stderr, /^simulator cannot be asked: .*ECONNREFUSED/);
});

test("only providers that can say are asked, and a named one that cannot is refused", async () => {
  using cli = createTestCli({ env: { OPENAI_API_KEY: "sk-test-not-a-key" } });
  await cli.run("tenant", "create", "acme");
  assert.match((await cli.run("usage", "reconcile")).stdout, /^No configured provider can say/);
  const refused = await cli.run("usage", "reconcile", "--provider", "openai");
  assert.equal(refused.exitCode, 2);
  assert.equal(refused.stderr, "Error: Provider openai cannot say afterwards what a call used.\n");
  const unknown = await cli.run("usage", "reconcile", "--provider", "nobody");
  assert.equal(unknown.exitCode, 4);
  assert.equal(unknown.stderr, 'Error: No provider "nobody" is configured. Configured: openai.\n');
});

test("of several providers that can say, only the named one is asked", async () => {
  using cli = createTestCli();
  await using simulator = await startSimulator({ clock });
  const baseUrl = `{baseUrl: ${simulator.url}/v1}`;
  const file = `providers:\n  simulator: ${baseUrl}\n  simulator-anthropic: ${baseUrl}\n`;
  writeFileSync(join(cli.folder, "headgate.yaml"), file);
  await charge(cli, "att_1", clock.wallMs());
  const asked = async (name: string): Promise<unknown> => {
    const { providers } = await cli.json<{ providers: unknown[] }>("usage", "reconcile", "--provider", name);
    return providers;
  };
  const nothing = { corrected: 0, pending: 0, unknown: 0, overtaken: 0, failed: 0, differenceUsd: "0.00" };
  assert.deepEqual(await asked("simulator-anthropic"), [{ provider: "simulator-anthropic", ...nothing }]);
  assert.deepEqual(await asked("simulator"), [{ provider: "simulator", ...nothing, pending: 1 }]);
});
