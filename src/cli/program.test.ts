import assert from "node:assert/strict";
import { test } from "node:test";
import { createTestCli } from "../../test/support/cli.ts";
import type { CommandNode, TreeNode } from "./command.ts";
import { exitCodeMeanings, exitCodes } from "./exit-codes.ts";
import { commandTree } from "./tree/tree.ts";

type Listed = readonly (readonly [path: string, node: CommandNode])[];

function listCommands(node: TreeNode, path: string): Listed {
  const children = node.commands.flatMap((child) => listCommands(child, `${path} ${child.name}`));
  return node.kind === "command" ? [[path, node], ...children] : children;
}

const commands: Listed = commandTree.flatMap((node) => listCommands(node, node.name));

for (const [path, node] of commands) {
  test(`${path} --help has a purpose of one sentence, and examples that call it`, async () => {
    using cli = createTestCli();
    const { exitCode, stdout, stderr } = await cli.run(...path.split(" "), "--help");
    assert.equal(exitCode, exitCodes.ok);
    assert.equal(stderr, "");
    assert.match(node.purpose, /^[A-Z](?:[^.]|\.(?! ))*\.$/);
    assert.ok(stdout.replace(/\s+/g, " ").includes(node.purpose));
    assert.ok(node.examples.length > 0);
    for (const { line } of node.examples) {
      assert.ok(line === path || line.startsWith(`${path} `), `example of ${path}: ${line}`);
      assert.ok(stdout.includes(`  headgate ${line}\n`));
    }
  });
}

test("every example is a command line that is understood", async () => {
  const { createProgram } = await import("./program.ts");
  const understood: string[] = [];
  const program = createProgram({
    tree: commandTree,
    version: "0",
    writeOut: () => {},
    onParsed: ({ node }) => void understood.push(node.name),
  });
  for (const [, { examples }] of commands) {
    for (const { line } of examples) {
      const [plain = ""] = line.split(/ >>? /);
      const words = (plain.match(/'[^']*'|\S+/g) ?? []).map((word) => word.replaceAll("'", ""));
      await program.parseAsync(words, { from: "user" });
    }
  }
  assert.equal(understood.length, commands.flatMap(([, { examples }]) => examples).length);
});

test("without a command, help is shown and nothing has failed", async () => {
  using cli = createTestCli();
  const { exitCode, stdout } = await cli.run();
  assert.equal(exitCode, exitCodes.ok);
  for (const { name } of commandTree) assert.match(stdout, new RegExp(`^  ${name} `, "m"));
});

const refusals: readonly (readonly [args: readonly string[], message: RegExp])[] = [
  [["srve"], /headgate has no command "srve"\. Did you mean "serve"\?/],
  [["key", "creat"], /key has no command "creat"\. Did you mean "create"\?/],
  [["key"], /`headgate key` needs a command, one of: create, list, revoke, rotate\./],
  [["serve", "--prot", "1"], /Unknown option '--prot'\. Did you mean --port\?/],
  [["usage", "reconsile"], /Too many arguments/],
  [["usage", "--since", "yesterday"], /--since must be a duration .* not "yesterday"\./],
  [["usage", "--by", "tenat"], /--by must be one or more of .*day, .*tenant, .* Did you mean tenant\?/],
  [["requests", "--limit", "0"], /--limit must be a whole number from 1 to 10000, not "0"\./],
  [["requests", "--ending", "complet"], /--ending must be one of .*Did you mean complete\?/],
  [["key", "create"], /Required option '--name <name>' not specified\./],
  [["key", "create", "--name"], /Option '--name <name>' argument missing\./],
  [["key", "create", "--name", "a", "--metadata", "team"], /--metadata must be name=value, not "team"\./],
  [["tenant", "create"], /Missing required argument 'name'\./],
  [["completion", "tcsh"], /<shell> must be one of bash, zsh, fish, not "tcsh"\./],
  [["help", "kye"], /There is no help on "kye"\. Did you mean "key"\?/],
];

for (const [args, message] of refusals) {
  test(`headgate ${args.join(" ")} is refused with what to write instead, and exit code 2`, async () => {
    using cli = createTestCli();
    const { exitCode, stdout, stderr } = await cli.run(...args);
    assert.equal(exitCode, exitCodes.usage);
    assert.equal(stdout, "");
    assert.match(stderr, message);
    assert.match(stderr, /^Error: [^\n]+\n$/, "one line, without a stack trace");
  });
}

test("with --json an error is one JSON object on stderr, wherever --json stands", async () => {
  using cli = createTestCli();
  for (const args of [
    ["--json", "usage", "--since", "x"],
    ["usage", "--since", "x", "--json"],
  ]) {
    const { exitCode, stdout, stderr } = await cli.run(...args);
    assert.equal(exitCode, exitCodes.usage);
    assert.equal(stdout, "");
    const { error } = JSON.parse(stderr) as { error: Record<string, unknown> };
    assert.equal(error["code"], "invalid_argument");
    assert.equal(error["param"], "--since");
  }
});

test("stack traces are shown only when they are asked for", async () => {
  using quiet = createTestCli();
  using debugging = createTestCli({ env: { HEADGATE_DEBUG: "1" } });
  assert.doesNotMatch((await quiet.run("usage")).stderr, /\n {4}at /);
  assert.match((await quiet.run("usage", "--debug")).stderr, /\n {4}at /);
  assert.match((await debugging.run("usage")).stderr, /\n {4}at /);
});

test("help exit-codes lists every exit code there is", async () => {
  using cli = createTestCli();
  const { stdout } = await cli.run("help", "exit-codes");
  for (const code of Object.values(exitCodes)) assert.ok(stdout.includes(`${code}  ${exitCodeMeanings[code]}`));
  const { exitCodes: listed } = await cli.json<{ exitCodes: { code: number }[] }>("help", "exit-codes");
  assert.deepEqual(
    listed.map(({ code }) => code),
    Object.values(exitCodes),
  );
});

test("help key create is what key create --help says", async () => {
  using cli = createTestCli();
  assert.equal((await cli.run("help", "key", "create")).stdout, (await cli.run("key", "create", "--help")).stdout);
});

test("version says the version of the package", async () => {
  using cli = createTestCli();
  const { version } = await cli.json<{ version: string }>("version");
  assert.match(version, /^\d+\.\d+\.\d+/);
  assert.equal((await cli.run("--version")).stdout, `headgate ${version}\n`);
  assert.equal((await cli.run("version")).stdout, `headgate ${version} (Node.js 26.0.0, test)\n`);
});
