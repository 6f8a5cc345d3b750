import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createTestCli, type TestCli } from "../../test/support/cli.ts";

/** All that this configuration counts on is in the gateway's environment, and nothing of it in the shell's. */
const configuration = `
providers:
  openai: { key: env:GATEWAYS_OPENAI_KEY }
  mistral:
  own:
    kind: openai-compatible
    baseUrl: http://127.0.0.1:9/v1
    credentials: [{ name: main, key: file:keys/own }]
models:
  smart: { targets: [openai/gpt-5-mini, anthropic/claude-sonnet-4-5], fallbacks: [gemini/gemini-2.5-flash, own/m] }
cache: { embeddings: cohere/embed-v4.0 }
alerts: { webhookUrl: "http://127.0.0.1:9/hook", webhookSecret: env:GATEWAYS_WEBHOOK_SECRET }
`;

function createKeyless(more = ""): TestCli {
  const cli = createTestCli();
  writeFileSync(join(cli.folder, "headgate.yaml"), configuration + more);
  return cli;
}

test("commands that call no provider do without the keys of providers", async () => {
  using cli = createKeyless();
  const commands = [
    ["tenant", "create", "acme"],
    ["project", "create", "search"],
    ["key", "create", "--name", "alice"],
    ["key", "list"],
    ["budget", "create", "monthly", "--money", "5", "--per", "month"],
    ["budget", "list"],
    ["usage"],
    ["usage", "export"],
    ["requests"],
    ["cache", "stats"],
    ["prices", "show", "openai/gpt-5-mini"],
    ["models"],
    ["route", "explain", "smart"],
    ["config", "print"],
  ];
  for (const command of commands) {
    const { exitCode, stderr } = await cli.run(...command);
    assert.equal(exitCode, 0, `${command.join(" ")}: ${stderr}`);
  }
});

test("what such a command shows is the gateway's own configuration, with its keys by reference", async () => {
  using cli = createKeyless();
  const { stdout } = await cli.run("config", "print");
  assert.match(
    stdout,
    /^providers\.openai\.credentials\[0\]\.key = \[secret env:GATEWAYS_OPENAI_KEY\] +# headgate\.yaml:3$/m,
  );
  assert.match(stdout, /^alerts\.webhookSecret = \[secret env:GATEWAYS_WEBHOOK_SECRET\] +# headgate\.yaml:12$/m);
  const { targets } = await cli.json<{ targets: { name: string; place: number | null }[] }>(
    "route",
    "explain",
    "smart",
  );
  assert.equal(targets.filter(({ place }) => place !== null).length, 4);
});

test("what serves or calls providers needs every key, and says where each is missing", async () => {
  using cli = createKeyless();
  for (const command of ["serve", "doctor", "config check", "usage reconcile", "cache evaluate --pairs pairs.jsonl"]) {
    writeFileSync(
      join(cli.folder, "pairs.jsonl"),
      '{"a": "x", "b": "y", "label": "same"}\n{"a": "x", "b": "z", "label": "different"}\n',
    );
    await cli.run("tenant", "create", "acme");
    const { exitCode, stdout, stderr } = await cli.run(...command.split(" "));
    assert.equal(exitCode, 3, `${command}: ${stderr}`);
    const told = stdout + stderr;
    for (const missing of ["GATEWAYS_OPENAI_KEY", "MISTRAL_API_KEY", "keys/own", "GATEWAYS_WEBHOOK_SECRET"]) {
      assert.ok(told.includes(missing), `${command} tells of ${missing}`);
    }
    assert.match(told, /models\.smart\.targets\[1\]\.model names the provider "anthropic", which is not configured\./);
  }
});

test("the shared database is needed by whatever looks at the store", async () => {
  using cli = createKeyless("storage: { postgres: env:GATEWAYS_DATABASE }\n");
  const { exitCode, stderr } = await cli.run("usage");
  assert.equal(exitCode, 3);
  assert.match(stderr, /^Error: The configuration has one problem\.\n.*GATEWAYS_DATABASE, which is not set/);
});

test("a provider that is in no catalogue is refused all the same", async () => {
  using cli = createTestCli();
  writeFileSync(join(cli.folder, "headgate.yaml"), "models: { smart: { targets: [opnai/gpt-5] } }\n");
  const { exitCode, stderr } = await cli.run("key", "list");
  assert.equal(exitCode, 3);
  assert.match(stderr, /names the provider "opnai", which is not configured/);
});
