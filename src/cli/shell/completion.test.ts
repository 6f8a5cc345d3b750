import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { createTestCli } from "../../../test/support/cli.ts";
import { commandTree } from "../tree/tree.ts";
import { renderBashCompletion } from "./bash-completion.ts";
import { renderCliReference } from "./cli-reference.ts";
import { listCommands } from "./command-list.ts";

const script = renderBashCompletion(listCommands(commandTree));

/** What bash would offer for the last of these words. */
function offered(...words: string[]): string[] {
  const ask = `${script}\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _headgate; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const out = execFileSync("bash", ["-c", ask, "bash", "headgate", ...words], { encoding: "utf8" });
  return out.split("\n").filter((word) => word !== "");
}

test("the bash script completes commands, then commands below them", () => {
  assert.deepEqual(offered("us"), ["usage"]);
  assert.deepEqual(offered("key", ""), ["create", "list", "revoke", "rotate", "--help"]);
  assert.deepEqual(offered("usage", "rec"), ["reconcile"]);
});

test("the bash script completes options of the command that was named, and their values", () => {
  assert.deepEqual(offered("key", "create", "--ex"), ["--expires"]);
  assert.deepEqual(offered("requests", "--ending", "tr"), ["truncated"]);
  assert.deepEqual(offered("usage", "--json", "--by", "ten"), ["tenant"]);
  assert.deepEqual(offered("completion", "f"), ["fish"]);
});

test("the bash script is free of syntax errors", () => {
  execFileSync("bash", ["-n"], { input: script });
});

for (const shell of ["bash", "zsh", "fish"]) {
  test(`completion ${shell} names every command, with quotes that are closed`, async () => {
    using cli = createTestCli();
    const { exitCode, stdout } = await cli.run("completion", shell);
    assert.equal(exitCode, 0);
    for (const { path } of listCommands(commandTree)) assert.ok(stdout.includes(path), path);
    assert.deepEqual(await cli.json("completion", shell), { shell, script: stdout });
    for (const line of stdout.split("\n").filter((each) => /^complete -c|^ {8}'/.test(each))) {
      const quotes = line.replaceAll(/\\['\\]/g, "").match(/'/g) ?? [];
      assert.equal(quotes.length % 2, 0, line);
    }
  });
}

test("the reference page has a section for every command and every exit code", () => {
  const page = renderCliReference();
  const commands = listCommands(commandTree).filter(({ path }) => path !== "");
  const groups = new Set(commandTree.filter(({ kind }) => kind === "group").map(({ name }) => name));
  for (const { path } of commands) if (!groups.has(path)) assert.ok(page.includes(`\n## headgate ${path}\n`), path);
  assert.ok(page.includes("| 130 |"));
  assert.ok(page.endsWith("\n"));
});
