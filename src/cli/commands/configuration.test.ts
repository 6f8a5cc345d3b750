import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createTestCli } from "../../../test/support/cli.ts";

test("config check finds nothing wrong with what init writes, and serve would start with it", async () => {
  using cli = createTestCli({ env: { OPENAI_API_KEY: "sk-test-not-a-key" } });
  const { exitCode, stdout } = await cli.run("init");
  assert.equal(exitCode, 0);
  assert.match(
    stdout,
    /^Wrote .*headgate\.yaml; records go to .*\.headgate\. Found keys of openai in the environment\./,
  );
  assert.match(stdout, /\n {2}headgate serve {2}/);
  assert.equal(statSync(join(cli.folder, ".headgate")).mode & 0o777, 0o700);
  const check = await cli.run("config", "check");
  assert.match(check.stdout, /headgate\.yaml: no problems \(1 providers, 0 aliases\)\.\n$/);
  assert.equal(check.exitCode, 0);
});

test("init replaces a file only when it is told to", async () => {
  using cli = createTestCli();
  const file = join(cli.folder, "headgate.yaml");
  writeFileSync(file, "server:\n  port: 5000\n");
  const refused = await cli.run("init", "--json");
  assert.equal(refused.exitCode, 4);
  assert.equal((JSON.parse(refused.stderr) as { error: { code: string } }).error.code, "file_exists");
  assert.match(readFileSync(file, "utf8"), /port: 5000/);
  const forced = await cli.json<{ file: string; providers: string[] }>("init", "--force");
  assert.equal(forced.file, file);
  assert.deepEqual(forced.providers, []);
  assert.doesNotMatch(readFileSync(file, "utf8"), /port: 5000/);
});

test("init writes to the folder that --config names, and says so in the next steps", async () => {
  using cli = createTestCli();
  const { stdout } = await cli.run("init", "--config", "deep/gate.yaml");
  assert.ok(existsSync(join(cli.folder, "deep", "gate.yaml")));
  assert.match(stdout, /headgate serve --config .*gate\.yaml /);
});

test("a folder that cannot be made is told without a stack trace", async () => {
  using cli = createTestCli();
  writeFileSync(join(cli.folder, "file"), "");
  const { exitCode, stderr } = await cli.run("init", "--config", "file/headgate.yaml");
  assert.equal(exitCode, 1);
  assert.match(stderr, /^Error: .*cannot be written: /);
});

test("every problem of a file is listed with its place and what to do, and the exit code is 3", async () => {
  using cli = createTestCli();
  writeFileSync(join(cli.folder, "bad.yaml"), "server:\n  prot: 5000\n  host: 7\n");
  const { exitCode, stdout } = await cli.run("config", "check", "bad.yaml");
  assert.equal(exitCode, 3);
  assert.match(stdout, /^bad\.yaml:2:3: server\.prot is not a known key\. Did you mean "port"\?$/m);
  assert.match(stdout, /^bad\.yaml:3:9: server\.host /m);
  const asJson = await cli.run("config", "check", "bad.yaml", "--json");
  const document = JSON.parse(asJson.stdout) as { ok: boolean; problems: { line: number }[] };
  assert.equal(asJson.exitCode, 3);
  assert.equal(document.ok, false);
  assert.deepEqual(
    document.problems.map(({ line }) => line),
    [2, 3],
  );
});

test("every other command refuses a bad configuration the same way", async () => {
  using cli = createTestCli();
  writeFileSync(join(cli.folder, "headgate.yaml"), "server:\n  prot: 5000\n");
  for (const command of ["serve", "doctor", "models", "key list", "usage", "config print"]) {
    const { exitCode, stderr } = await cli.run(...command.split(" "));
    assert.equal(exitCode, 3, command);
    assert.match(stderr, /^Error: The configuration has one problem\.\nheadgate\.yaml:2:3: server\.prot /);
  }
  const { stderr } = await cli.run("usage", "--json");
  const { error } = JSON.parse(stderr) as { error: { code: string; problems: { path: string }[] } };
  assert.equal(error.code, "invalid_configuration");
  assert.equal(error.problems[0]?.path, "server.prot");
});

test("config print shows values with their origin, flags first, and no secret", async () => {
  using cli = createTestCli({ env: { OPENAI_API_KEY: "sk-test-not-a-key", HEADGATE_PORT: "5001" } });
  writeFileSync(join(cli.folder, "headgate.yaml"), "server:\n  port: 5000\n  host: 127.0.0.9\n");
  const { stdout } = await cli.run("config", "print");
  assert.match(stdout, /^server\.port = 5001 +# HEADGATE_PORT$/m);
  assert.match(stdout, /^server\.host = "127\.0\.0\.9" +# headgate\.yaml:3$/m);
  assert.ok(!stdout.includes("sk-test-not-a-key"));
  const { values } = await cli.json<{ values: { path: string; value: unknown; origin: string }[] }>(
    "config",
    "print",
    "--port",
    "5002",
  );
  assert.deepEqual(
    values.find(({ path }) => path === "server.port"),
    { path: "server.port", value: 5002, origin: "--port" },
  );
});

test("config schema is a JSON Schema that knows every section", async () => {
  using cli = createTestCli();
  const schema = JSON.parse((await cli.run("config", "schema")).stdout) as { properties: object };
  for (const section of ["server", "providers", "models", "prices"]) assert.ok(section in schema.properties);
});

test("a price for the built-in simulator is not warned about while no provider is configured", async () => {
  using cli = createTestCli();
  const check = async (providers: string): Promise<string> => {
    const prices = "prices: {overrides: {simulator/sim-chat: {input: 1, output: 2}}}\n";
    writeFileSync(join(cli.folder, "headgate.yaml"), providers + prices);
    const { stdout, stderr } = await cli.run("config", "check");
    return stdout + stderr;
  };
  assert.doesNotMatch(await check(""), /simulator/);
  assert.match(await check("providers: {ollama: }\n"), /the provider "simulator", which is not configured/);
});
