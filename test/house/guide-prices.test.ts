/** The guide on prices is followed from its first line to its last: with its own configuration, and an npm without a network. */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { test } from "node:test";
import { createSystemClock } from "../../src/kernel/clock.ts";
import { createIdSource, systemRandomFill } from "../../src/kernel/ids.ts";
import { zeroUsd } from "../../src/kernel/money.ts";
import { openStore } from "../../src/storage/storage.ts";
import { sampleEntry, sampleRecord } from "../contract/samples.ts";
import { createTestCli, type TestCli } from "../support/cli.ts";

const project = join(import.meta.dirname, "..", "..");
const guide = readFileSync(join(project, "docs", "guides", "prices.md"), "utf8");
const packageFolder = join(project, "node_modules", "@pydantic", "genai-prices");

function blocksOf(language: string): readonly string[] {
  return [...guide.matchAll(/^```(\w*)\n([^]*?)^```$/gm)].flatMap(([, found, block = ""]) =>
    found === language ? [block] : [],
  );
}

/** Installs the package that is on this machine. */
function writeNpm(folder: string): void {
  const bin = join(folder, "bin");
  mkdirSync(bin);
  const install = `while [ "$1" != --prefix ]; do shift; done
mkdir -p "$2/node_modules/@pydantic" && cp -r ${packageFolder} "$2/node_modules/@pydantic/"`;
  writeFileSync(join(bin, "npm"), `#!/bin/sh\n${install}\n`);
  chmodSync(join(bin, "npm"), 0o755);
}

/** A call of the guide's deployment, made when it had no price. */
async function callUnpriced(cli: TestCli): Promise<void> {
  const tenant = await cli.json<{ id: string }>("tenant", "create", "default");
  const clock = createSystemClock();
  const ids = createIdSource(systemRandomFill, () => clock.wallMs());
  await using store = await openStore({ dataDir: join(cli.folder, ".headgate"), durability: "process", clock, ids });
  const atMs = clock.wallMs() - 3_600_000;
  const entry = sampleEntry("req_1", "att_1", {
    payer: { tenantId: tenant.id, projectId: "prj_1", keyId: "key_1" },
    atMs,
    provider: "azure",
    modelTarget: "azure/our-deployment",
    modelServed: "azure/our-deployment",
    costNanoUsd: zeroUsd,
    priceVersion: null,
    flags: ["unpriced"],
  });
  await store.journal.close(sampleRecord("req_1", { payer: entry.payer, startedAtMs: atMs }), [entry]);
}

test("every command of the guide on prices runs, in the order of the page", async () => {
  using npm = createTestCli();
  writeNpm(npm.folder);
  const path = [join(npm.folder, "bin"), dirname(process.execPath), "/usr/bin", "/bin"].join(delimiter);
  using cli = createTestCli({
    env: { PATH: path, OPENAI_API_KEY: "sk-test-not-a-key", AZURE_OPENAI_API_KEY: "sk-test-not-a-key" },
  });
  symlinkSync(packageFolder, join(cli.folder, "package"));
  await callUnpriced(cli);
  const [configuration = ""] = blocksOf("yaml");
  writeFileSync(join(cli.folder, "headgate.yaml"), configuration);
  const commands = blocksOf("").flatMap((block) => block.trim().split("\n"));
  assert.ok(commands.length > 10);
  for (const command of commands) {
    const [program, ...args] = command.split(" ");
    assert.equal(program, "headgate", command);
    const { exitCode, stderr } = await cli.run(...args);
    const expected = command === "headgate prices missing" ? 5 : 0;
    assert.equal(exitCode, expected, `${command}: ${stderr}`);
  }
  assert.equal((await cli.run("prices", "missing")).exitCode, 0);
});
