import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createTestCli, type TestCli } from "../../../../test/support/cli.ts";

function configure(cli: TestCli, text: string): void {
  writeFileSync(join(cli.folder, "headgate.yaml"), text);
}

test("show gives every rate of a model, by tier, date and length of the input, and in the operator's currency", async () => {
  using cli = createTestCli();
  configure(
    cli,
    `prices:
  currency: {code: EUR, perUsd: 0.92}
  overrides:
    openai/own:
      from: 2026-12-01
      input: 2
      output: 8
      longContext: [{above: 200000, input: 4}]
      serviceTiers: {flex: {input: 1, output: 4}}
`,
  );
  const { stdout } = await cli.run("prices", "show", "openai/own", "--at", "2026-12-01");
  assert.equal(
    stdout,
    `openai/own: override/openai/own;input=2>200000:4,output=8
UNIT              DOLLARS   EUR  INPUT TOKENS
input / million        $2  1.84
input / million        $4  3.68  more than 200,000
output / million       $8  7.36
`,
  );
  const flex = await cli.json<{ prices: object[] }>(
    "prices",
    "show",
    "openai/own",
    "--at",
    "2026-12-01",
    "--service-tier",
    "flex",
  );
  assert.deepEqual(flex.prices, [
    {
      model: "openai/own",
      version: "override/openai/own;input=1,output=4;service-tier=flex",
      standIn: false,
      rates: { input: "1", output: "4" },
    },
  ]);
  const before = await cli.run("prices", "show", "openai/own", "--at", "2026-11-30");
  assert.equal(before.exitCode, 4);
  assert.match(before.stderr, /openai\/own has no price\. Give it one under prices\.overrides/);
});

test("show takes an alias, and a bare name wherever a list has it", async () => {
  using cli = createTestCli();
  configure(cli, "providers: {ollama: }\nmodels: {fast: {targets: [ollama/x]}}\n");
  assert.equal((await cli.run("prices", "show", "fast")).stdout, "ollama/x: free\nNothing is charged.\n");
  const { prices } = await cli.json<{ prices: { model: string }[] }>("prices", "show", "gpt-4.1");
  assert.deepEqual(
    prices.map(({ model }) => model),
    ["openai/gpt-4.1", "azure/gpt-4.1"],
  );
  assert.equal((await cli.run("prices", "show", "no-such-model")).exitCode, 4);
});

test("missing lists what is configured without a price, and says so by its exit code", async () => {
  using cli = createTestCli({ env: { KEY: "sk-test" } });
  configure(cli, "providers: {ollama: {models: [x]}}\n");
  assert.deepEqual(await cli.run("prices", "missing"), {
    exitCode: 0,
    stdout: "Everything configured or called has a price.\n",
    stderr: "",
  });
  configure(
    cli,
    `providers:
  nvidia: {key: env:KEY}
  openai: {key: env:KEY, models: [own-tuned]}
models:
  fast: {targets: [nvidia/some-model, openai/gpt-5-mini]}
prices: {unknownModel: hold}
`,
  );
  const { exitCode, stdout } = await cli.run("prices", "missing", "--json");
  assert.equal(exitCode, 5);
  const document = JSON.parse(stdout) as { configured: string[]; used: []; listed: Record<string, string[]> };
  assert.deepEqual(document.configured, ["nvidia/some-model", "openai/own-tuned"]);
  assert.deepEqual(document.used, []);
  assert.ok(document.listed["openai"]?.includes("whisper-1"));
});

test("show says of a service tier that nobody has rates for that it costs the standard rates", async () => {
  using cli = createTestCli();
  configure(cli, "prices: {overrides: {openai/own: {input: 2, output: 8}}}\n");
  const versionAt = async (tier: string): Promise<string | undefined> => {
    const { prices } = await cli.json<{ prices: { version: string }[] }>(
      "prices",
      "show",
      "openai/own",
      "--service-tier",
      tier,
    );
    return prices[0]?.version;
  };
  assert.equal(await versionAt("nonsense"), "override/openai/own;input=2,output=8;standard-rates-for=nonsense");
  assert.equal(await versionAt("default"), "override/openai/own;input=2,output=8");
});
