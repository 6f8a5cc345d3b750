import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { openSuite, testBooks } from "./suite.ts";
import { upstreams } from "./upstreams.ts";

const folder = join(import.meta.dirname, "..", "..", "examples");
const interpreters = new Map([
  [".ts", process.execPath],
  [".sh", "sh"],
]);
const examples = readdirSync(folder).filter((name) => !name.endsWith(".md"));

interface Run {
  readonly exitCode: number;
  readonly said: string;
}

describe("the examples", () => {
  const suite = openSuite();

  function run(name: string, environment: Readonly<Record<string, string>>): Promise<Run> {
    const interpreter = interpreters.get(name.slice(name.lastIndexOf("."))) ?? assert.fail(`nothing runs ${name}`);
    const env = {
      PATH: process.env["PATH"],
      HEADGATE_URL: suite.gateway.url,
      HEADGATE_KEY: suite.gateway.key,
      ...environment,
    };
    return new Promise((resolve) => {
      const child = execFile(interpreter, [join(folder, name)], { env }, (_, stdout, stderr) =>
        resolve({ exitCode: child.exitCode ?? -1, said: stdout + stderr }),
      );
    });
  }

  test("are all in their README", () => {
    const readme = readFileSync(join(folder, "README.md"), "utf8");
    assert.deepEqual(
      examples.filter((name) => !readme.includes(` examples/${name}\``)),
      [],
    );
    assert.equal(examples.length, 4);
  });

  for (const name of examples) {
    test(`${name} runs, with either upstream`, async () => {
      const runs = await Promise.all(upstreams.map(({ model }) => run(name, { HEADGATE_MODEL: model })));
      for (const { exitCode, said } of runs) {
        assert.equal(exitCode, 0, said);
        assert.notEqual(said, "");
      }
    });

    test(`${name} fails without a key that the gateway knows`, async () => {
      const { exitCode, said } = await run(name, { HEADGATE_KEY: "hg-unknown" });
      assert.notEqual(exitCode, 0, said);
    });
  }

  testBooks(suite);
});
