/** This tree keeps the rules of STYLE.md that can be counted. `npm run tidy` prints the same, faster. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { formatFinding } from "../scripts/tidy/finding.ts";
import { rules } from "../scripts/tidy/rules.ts";
import { readTree } from "../scripts/tidy/tree.ts";

describe("tidy", () => {
  const tree = readTree(join(import.meta.dirname, ".."));

  test("reads the whole project", () => {
    for (const path of [
      "src/layers.ts",
      "test/tidy.test.ts",
      "scripts/bootstrap.mjs",
      "package-lock.json",
      "STYLE.md",
    ]) {
      assert.ok(
        tree.texts.some((file) => file.path === path),
        `${path} was not read`,
      );
    }
    const broken = tree.code.filter(({ syntax }) => syntax.errors.length > 0).map(({ path }) => path);
    assert.deepEqual(broken, []);
  });

  for (const [name, rule] of Object.entries(rules)) {
    test(name, () => {
      assert.deepEqual(rule(tree).map(formatFinding), []);
    });
  }
});
