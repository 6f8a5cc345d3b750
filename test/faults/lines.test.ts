import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { promises } from "./course/promises.ts";
import { besides } from "./lines/besides.ts";
import { lineGroups } from "./lines/groups.ts";

const folder = import.meta.dirname;
const sources = new Map(
  globSync("**/*.test.ts", { cwd: folder }).map((file) => [file, readFileSync(join(folder, file), "utf8")]),
);

describe("no line without its test:", () => {
  for (const [name, { heading, testedBy }] of Object.entries(lineGroups)) {
    test(`"${heading}" is tested by ${testedBy}`, () => {
      assert.match(sources.get(testedBy) ?? "", new RegExp(`^testLines\\(\\s*${name},`, "m"));
    });
  }

  for (const [list, sentences] of Object.entries({ promises, besides })) {
    for (const [name, sentence] of Object.entries(sentences)) {
      test(sentence, () => {
        const naming = [...sources.values()].filter((source) => new RegExp(`\\b${list}\\.${name}\\b`).test(source));
        assert.equal(naming.length, 1, "one file of tests names it");
      });
    }
  }
});

test("no test without its line: each is named by one, unless it looks at what many leave behind", () => {
  const own = /^\s*test\(\s*"(?!.*leaves? the books in order)([^"]*)"/gm;
  const unnamed = [...sources].flatMap(([file, source]) =>
    file === "lines.test.ts" ? [] : [...source.matchAll(own)].map(([, title]) => `${file}: ${title}`),
  );
  assert.deepEqual(unnamed, [
    "course/one-target.test.ts: every fault of the simulator has its rows here, or its own test",
  ]);
});
