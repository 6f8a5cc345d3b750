/** Each rule finds what it is there for, on the line where it is, and leaves its neighbours alone. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { bannedCalls } from "../../scripts/tidy/calls.ts";
import type { Rule } from "../../scripts/tidy/finding.ts";
import { layerTable } from "../../scripts/tidy/layering.ts";
import { barrels, fileNames, moduleState } from "../../scripts/tidy/shape.ts";
import { sleepingTests, switchedTests, unseededTests } from "../../scripts/tidy/tests.ts";
import { createTree } from "../../scripts/tidy/tree.ts";

/** `path:line` of each finding. */
function places(rule: Rule, files: Readonly<Record<string, string>>): string[] {
  return rule(createTree(files)).map(({ path, line }) => `${path}:${line}`);
}

describe("layer table", () => {
  const manifest = { "package.json": `{ "dependencies": { "undici": "1" } }` };

  test("lets imports go down and stay inside", () => {
    const text = `import "../kernel/money.ts";\nimport type { A } from "../storage/records.ts";\nimport "./b.ts";\nimport "undici";\nimport "node:fs";`;
    assert.deepEqual(places(layerTable, { ...manifest, "src/exchange/a.ts": text }), []);
  });

  test("finds imports of what is above, types and dynamic imports included", () => {
    const text = `import "../kernel/a.ts";\nimport type { A } from "../exchange/a.ts";\nexport { b } from "../http/b.ts";\nconst c = import("../cli/c.ts");`;
    const found = places(layerTable, { ...manifest, "src/storage/a.ts": text });
    assert.deepEqual(found, ["src/storage/a.ts:2", "src/storage/a.ts:3", "src/storage/a.ts:4"]);
  });

  test("finds imports of siblings, but lets tests wire them", () => {
    const text = `import "../routing/plan.ts";`;
    const files = { ...manifest, "src/tenancy/a.ts": text, "src/tenancy/a.test.ts": text };
    assert.deepEqual(places(layerTable, files), ["src/tenancy/a.ts:1"]);
  });

  test("finds folders that nobody gave a layer", () => {
    assert.deepEqual(places(layerTable, { ...manifest, "src/extras/a.ts": "" }), ["src/extras/a.ts:1"]);
  });

  test("keeps input and output out of the kernel", () => {
    const text = `import "node:crypto";\nimport "node:fs/promises";`;
    assert.deepEqual(places(layerTable, { ...manifest, "src/kernel/a.ts": text }), ["src/kernel/a.ts:2"]);
  });

  test("finds packages that are no runtime dependency, and imports from outside src", () => {
    const text = `import "fast-check";\nimport "../../test/support/a.ts";`;
    const files = { ...manifest, "src/http/a.ts": text, "src/http/a.test.ts": text };
    assert.deepEqual(places(layerTable, files), ["src/http/a.ts:1", "src/http/a.ts:2"]);
  });

  test("puts the composition root between the command line and the rest", () => {
    const files = {
      ...manifest,
      "src/gateway.ts": `import "./http/a.ts";\nimport "./cli/a.ts";`,
      "src/main.ts": `import "./cli/a.ts";`,
      "src/cli/a.ts": `import "../gateway.ts";\nimport "../main.ts";`,
    };
    assert.deepEqual(places(layerTable, files), ["src/gateway.ts:2", "src/cli/a.ts:2"]);
  });
});

describe("banned calls", () => {
  const uses = [
    "Date.now();",
    "new Date();",
    "performance.now();",
    "Math.random();",
    "process.env.HOME;",
    "setTimeout(f, 1);",
    "setInterval(f, 1);",
    "fetch(url);",
    `import { setTimeout as sleep } from "node:timers/promises";`,
    `import { randomUUID, createHash } from "node:crypto";`,
    "AbortSignal.timeout(1);",
  ];
  for (const use of uses) {
    test(`finds ${use}`, () => {
      assert.deepEqual(places(bannedCalls, { "src/http/a.ts": `\n${use}\n` }), ["src/http/a.ts:2"]);
    });
  }

  test("leaves the kernel, the configuration, main.ts, tests and other folders alone", () => {
    const text = uses.join("\n");
    const free = ["src/kernel/a.ts", "src/config/a.ts", "src/main.ts", "src/http/a.test.ts", "bench/a.ts"];
    assert.deepEqual(places(bannedCalls, Object.fromEntries(free.map((path) => [path, text]))), []);
  });

  test("leaves methods, members, turns of the loop and dates of a given time alone", () => {
    const text =
      "import { setImmediate } from 'node:timers/promises';\nclient.fetch(url);\nclock.setTimeout(f, 1);\nnew Date(atMs);\nDate.UTC(2026, 1);\nprocess.pid;\n";
    assert.deepEqual(places(bannedCalls, { "src/http/a.ts": text }), []);
  });

  test("says what to use instead", () => {
    const [finding] = bannedCalls(createTree({ "src/http/a.ts": "Date.now();" }));
    assert.match(finding?.advice ?? "", /Date\.now .* Use clock\.wallMs\(\)/);
  });
});

describe("shape", () => {
  test("finds names that are not kebab-case or say nothing", () => {
    const good = ["src/http/wire-error.ts", "src/http/wire-error.test.ts", "bin/headgate.js"];
    const bad = ["src/http/wireError.ts", "src/utils/a.ts", "src/http/helpers.ts", "src/http/Common.ts"];
    const files = Object.fromEntries([...good, ...bad].map((path) => [path, ""]));
    assert.deepEqual(
      places(fileNames, files),
      bad.map((path) => `${path}:1`),
    );
  });

  test("finds barrels, and leaves a file alone that also has something of its own", () => {
    const files = {
      "src/a/a.ts": `export { b } from "./b.ts";\nexport { c } from "./c.ts";`,
      "src/a/b.ts": `export const d = 1;\nexport * from "./c.ts";`,
      "src/a/c.ts": `export { b } from "./b.ts";\nexport const c = 1;`,
    };
    assert.deepEqual(places(barrels, files), ["src/a/a.ts:1", "src/a/b.ts:2"]);
  });

  test("finds variables and containers of a module that are there to change", () => {
    const text = [
      "const a = 1;",
      "let b = 2;",
      "export let c = 3;",
      "const d = new Map();",
      "const e = new Map([[1, 2]]);",
      "const f: readonly string[] = [];",
      "const g: ReadonlySet<string> = new Set();",
      "export function h() {",
      "  let i = [];",
      "}",
    ].join("\n");
    const found = places(moduleState, { "src/a/a.ts": text, "src/a/search-worker.ts": text });
    assert.deepEqual(found, ["src/a/a.ts:2", "src/a/a.ts:3", "src/a/a.ts:4"]);
  });
});

describe("tests", () => {
  test("finds tests that are switched off or alone", () => {
    const text = `test.skip("a", f);\nit.only("b", f);\ntest("c", { todo: true }, f);\ntest("d", f);\nt.skip();\nlist.skip(3);`;
    const found = places(switchedTests, { "test/a.test.ts": text });
    assert.deepEqual(
      found,
      [1, 2, 3, 5].map((line) => `test/a.test.ts:${line}`),
    );
  });

  test("finds sleeps", () => {
    const text = [
      `import { setTimeout as sleep } from "node:timers/promises";`,
      "await new Promise((resolve) => setTimeout(resolve, 50));",
      "await new Promise((resolve) => { setTimeout(resolve, 50); });",
      `await new Promise((resolve) => { server.once("close", resolve); });`,
    ].join("\n");
    assert.deepEqual(
      places(sleepingTests, { "src/a/a.test.ts": text }),
      [1, 2, 3].map((line) => `src/a/a.test.ts:${line}`),
    );
  });

  test("finds random cases that are others in each run", () => {
    const text = `import fc from "fast-check";\n`;
    const files = { "src/a/a.test.ts": text, "test/support/properties.ts": text };
    assert.deepEqual(places(unseededTests, files), ["src/a/a.test.ts:1"]);
  });
});
