import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { test } from "node:test";
import { createTestCli, type TestCli } from "../../../../test/support/cli.ts";
import { renderCatalogueFile, type CatalogueFile } from "../../../accounting/prices/catalogue-file.ts";
import { pinnedCatalogueFile, type CatalogueModel } from "../../../accounting/prices/catalogue.ts";

const installed = join(import.meta.dirname, "..", "..", "..", "..", "node_modules", "@pydantic", "genai-prices");
const today = "2030-01-01";

/** The pinned prices with one model's changed, as a file in the working directory. */
function writeChanged(cli: TestCli, rates: CatalogueModel["prices"][number]["rates"], version = "99.0.0"): string {
  const pinned = pinnedCatalogueFile();
  const lists: Record<string, CatalogueFile["lists"][string]> = { ...pinned.lists };
  const openai = lists["openai"] ?? { fallback: [], unpriced: [], models: [] };
  const change = (model: CatalogueModel): CatalogueModel =>
    model.id === "gpt-5-mini" ? { ...model, prices: [{ rates }] } : model;
  lists["openai"] = { ...openai, models: openai.models.map(change) };
  const file = { source: { ...pinned.source, version, date: today }, lists };
  writeFileSync(join(cli.folder, "newer.json"), renderCatalogueFile(file));
  return "newer.json";
}

/** A package of that name whose module does what it is told. */
function writePackage(cli: TestCli, module: string): string {
  mkdirSync(join(cli.folder, "package", "dist"), { recursive: true });
  const manifest = { name: "@pydantic/genai-prices", version: "9.9.9", type: "module" };
  writeFileSync(join(cli.folder, "package", "package.json"), JSON.stringify(manifest));
  writeFileSync(join(cli.folder, "package", "dist", "index.js"), module);
  return "package";
}

/** An npm that runs these lines of shell; `$folder` is where it should install. */
function environmentWithNpm(cli: TestCli, lines: string): Record<string, string> {
  const bin = join(cli.folder, "bin");
  mkdirSync(bin);
  const find = 'while [ "$1" != --prefix ]; do shift; done; folder=$2';
  writeFileSync(join(bin, "npm"), `#!/bin/sh\n${find}\n${lines}\n`);
  chmodSync(join(bin, "npm"), 0o755);
  return { PATH: [bin, dirname(process.execPath), "/usr/bin", "/bin"].join(delimiter) };
}

test("diff shows what would change, and changes nothing", async () => {
  using cli = createTestCli();
  const file = writeChanged(cli, { input: "0.2", output: "1.6" });
  const { stdout } = await cli.run("prices", "diff", "--from", file);
  assert.match(stdout, /\nopenai\/gpt-5-mini  price   input=0\.25,\S+ +input=0\.2,output=1\.6\n$/);
  assert.equal((await cli.run("prices", "diff", "anthropic", "--from", file)).stdout, "No price would change.\n");
  assert.equal(existsSync(join(cli.folder, ".headgate")), false);
});

test("update takes a catalogue whose prices then hold, and a gateway's own prices still win", async () => {
  using cli = createTestCli();
  const file = writeChanged(cli, { input: "0.2", output: "1.6" });
  const versionOf = async (model: string): Promise<string> =>
    (await cli.json<{ prices: { version: string }[] }>("prices", "show", model)).prices[0]?.version ?? "";
  assert.match(await versionOf("openai/gpt-5-mini"), /^genai-prices-0.*\/openai\/gpt-5-mini$/);
  const taken = await cli.json<{ changes: number; file: string }>("prices", "update", "--from", file);
  assert.deepEqual([taken.changes, taken.file], [1, join(cli.folder, ".headgate", "prices.json")]);
  assert.equal(await versionOf("openai/gpt-5-mini"), "genai-prices-99.0.0/openai/gpt-5-mini");
  writeFileSync(join(cli.folder, "headgate.yaml"), "prices: {overrides: {openai/gpt-5-mini: {input: 1, output: 2}}}\n");
  assert.equal(await versionOf("openai/gpt-5-mini"), "override/openai/gpt-5-mini;input=1,output=2");
});

test("a package is read into exactly the catalogue that the release pins", async () => {
  using cli = createTestCli();
  const { changes } = await cli.json<{ changes: unknown[] }>("prices", "diff", "--from", installed);
  assert.deepEqual(changes, []);
  assert.equal((await cli.run("prices", "update", "--from", installed)).exitCode, 0);
  const file = JSON.parse(readFileSync(join(cli.folder, ".headgate", "prices.json"), "utf8")) as CatalogueFile;
  assert.deepEqual(file.lists, pinnedCatalogueFile().lists);
  assert.match(file.source.copyright, /^Copyright/);
});

test("a package can neither write nor look around: it fails, and nothing is taken", async () => {
  using cli = createTestCli({ env: { OPENAI_API_KEY: "sk-secret" } });
  const marker = join(cli.folder, "was-here");
  const attempts = [
    `(await import("node:fs")).writeFileSync(${JSON.stringify(marker)}, "x");`,
    `(await import("node:fs")).readFileSync(${JSON.stringify(join(cli.folder, "headgate.yaml"))});`,
    `(await import("node:child_process")).execFileSync("/bin/true");`,
    `new (await import("node:worker_threads")).Worker("0", { eval: true });`,
    `if (process.env.OPENAI_API_KEY === undefined) throw new Error("no key to be seen");`,
  ];
  writeFileSync(join(cli.folder, "headgate.yaml"), "");
  for (const attempt of attempts) {
    const folder = writePackage(cli, `${attempt}\nexport const findProvider = () => null;`);
    const { exitCode, stderr } = await cli.run("prices", "update", "--from", folder);
    assert.equal(exitCode, 1, attempt);
    assert.match(stderr, /the prices in the package cannot be read \(.*(permission|Access|no key).*\)/i, attempt);
  }
  assert.equal(existsSync(marker), false);
  assert.equal(existsSync(join(cli.folder, ".headgate", "prices.json")), false);
});

test("npm fetches the package into the data folder, which keeps only the prices", async () => {
  using folders = createTestCli();
  using cli = createTestCli({
    env: environmentWithNpm(
      folders,
      `mkdir -p "$folder/node_modules/@pydantic" && cp -r ${installed} "$folder/node_modules/@pydantic/"`,
    ),
  });
  const { exitCode, stderr } = await cli.run("prices", "update");
  assert.equal(exitCode, 0, stderr);
  assert.deepEqual(readdirSync(join(cli.folder, ".headgate")), ["prices.json"]);
});

test("an npm that fails or is not there says why, and how to do without it", async () => {
  using folders = createTestCli();
  using failing = createTestCli({
    env: environmentWithNpm(folders, "echo 'npm error network unreachable.' >&2; exit 1"),
  });
  using without = createTestCli({ env: { PATH: "/nowhere" } });
  const refused = await failing.run("prices", "update");
  assert.equal(refused.exitCode, 1);
  assert.match(
    refused.stderr,
    /could not fetch \S+: npm error network unreachable\. Fetch it where npm can, .*--from\./,
  );
  assert.match((await without.run("prices", "update")).stderr, /there is no npm on the PATH\. .*--from\./);
  assert.deepEqual(readdirSync(join(failing.folder, ".headgate")), []);
});

test("what is no catalogue, or an older one, is refused, and the one in use stays", async () => {
  using cli = createTestCli();
  await cli.run("prices", "update", "--from", writeChanged(cli, { input: "0.2", output: "1.6" }));
  const before = readFileSync(join(cli.folder, ".headgate", "prices.json"), "utf8");
  const refuse = async (text: string, code: number, message: RegExp): Promise<void> => {
    writeFileSync(join(cli.folder, "bad.json"), text);
    const { exitCode, stderr } = await cli.run("prices", "update", "--from", "bad.json");
    assert.equal(exitCode, code, stderr);
    assert.match(stderr, message);
  };
  await refuse("{", 1, /is not JSON/);
  await refuse("{}", 2, /not a price catalogue that can be used: source: .*; lists: /);
  await refuse("[]", 2, /lists\.anthropic is missing/);
  await refuse(
    readFileSync(join(cli.folder, "newer.json"), "utf8").replace('"0.2"', '"-0.2"'),
    2,
    /is not an amount of dollars/,
  );
  const older = writeChanged(cli, { input: "9" }, "98.12.3");
  assert.match((await cli.run("prices", "update", "--from", older)).stderr, /98\.12\.3 of .* is older than .*99\.0\.0/);
  assert.equal((await cli.run("prices", "update", "--from", "nothing")).exitCode, 1);
  assert.equal(readFileSync(join(cli.folder, ".headgate", "prices.json"), "utf8"), before);
});

test("a damaged catalogue in the data folder is refused by name, until it is replaced", async () => {
  using cli = createTestCli();
  await cli.run("prices", "update", "--from", installed);
  writeFileSync(join(cli.folder, ".headgate", "prices.json"), '{"source":');
  const { exitCode, stderr } = await cli.run("prices", "show", "openai/gpt-5");
  assert.equal(exitCode, 2);
  assert.match(stderr, /\.headgate\/prices\.json: It is not JSON\. Take it again with `headgate prices update`/);
  assert.equal((await cli.run("prices", "update", "--from", installed)).exitCode, 0);
  assert.equal((await cli.run("prices", "show", "openai/gpt-5")).exitCode, 0);
});
