/** The rules about sizes, texts and documents find what they are there for. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { decisionRecords, dependencyDecisions, documentLinks } from "../../scripts/tidy/documents.ts";
import type { Rule } from "../../scripts/tidy/finding.ts";
import { exportCounts, fileLengths, folders, functionLengths } from "../../scripts/tidy/sizes.ts";
import { machinePaths, registryHosts } from "../../scripts/tidy/texts.ts";
import { createTree } from "../../scripts/tidy/tree.ts";

function places(rule: Rule, files: Readonly<Record<string, string>>): string[] {
  return rule(createTree(files)).map(({ path, line }) => `${path}:${line}`);
}

function numbered(count: number, render: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => render(index)).join("");
}

describe("sizes", () => {
  const manyShort = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`src/a/short-${index}.ts`, ""]));

  test("finds a file over the hard limit, and only that", () => {
    const files = { ...manyShort, "src/a/long.ts": ";\n".repeat(501), "src/a/at-limit.ts": ";\n".repeat(500) };
    assert.deepEqual(places(fileLengths, files), ["src/a/long.ts:501"]);
  });

  test("finds when more than one file in ten is longer than usual", () => {
    const longer = Object.fromEntries(
      [0, 1, 2].map((index) => [`src/a/longer-${index}.ts`, ";\n".repeat(300 + index)]),
    );
    assert.deepEqual(places(fileLengths, { ...manyShort, ...longer }), ["src/a/longer-2.ts:1"]);
  });

  test("finds functions of seventy lines, methods and arrows included", () => {
    const body = (lines: number): string => `{\n${"  ;\n".repeat(lines - 2)}}`;
    const text = `function a() ${body(69)}\nfunction b() ${body(70)}\nconst c = () => ${body(70)};\nclass D { e() ${body(70)} }\n`;
    assert.deepEqual(places(functionLengths, { "src/a/a.ts": text }), [
      "src/a/a.ts:70",
      "src/a/a.ts:140",
      "src/a/a.ts:210",
    ]);
  });

  test("takes a group of tests for a heading", () => {
    const text = `describe("a", () => {\n${"  ;\n".repeat(70)}});\ntest("b", () => {\n${"  ;\n".repeat(70)}});\n`;
    assert.deepEqual(places(functionLengths, { "src/a/a.test.ts": text }), ["src/a/a.test.ts:73"]);
  });

  test("counts exported values, not types", () => {
    const types = numbered(9, (index) => `export type T${index} = ${index};\n`);
    const values = (count: number): string => numbered(count, (index) => `export const v${index} = ${index};\n`);
    const files = { "src/a/types.ts": types + values(7), "src/a/values.ts": values(8) };
    assert.deepEqual(places(exportCounts, files), ["src/a/values.ts:1"]);
  });

  test("finds crowded and deep folders; tests take no room", () => {
    const crowd = Object.fromEntries(Array.from({ length: 16 }, (_, index) => [`src/a/f${index}.ts`, ""]));
    const tests = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`src/b/f${index}.test.ts`, ""]));
    const files = { ...crowd, ...tests, "src/a/b/c/ok.ts": "", "src/a/b/c/d/deep.ts": "" };
    assert.deepEqual(places(folders, files), ["src/a:1", "src/a/b/c/d/deep.ts:1"]);
  });
});

describe("texts", () => {
  test("finds registry hosts and resolved addresses in a lockfile", () => {
    const host = ["registry", "example", "org"].join(".");
    const files = {
      "package-lock.json": `{\n  "resolved": "http${"s"}://example.org/a.tgz"\n}`,
      ".npmrc": `fund=false\n//${host}/:_authToken=x`,
      "README.md": "The registry of providers, and npm's registry.",
    };
    assert.deepEqual(places(registryHosts, files).toSorted(), [".npmrc:2", "package-lock.json:2"]);
  });

  test("finds paths of one machine", () => {
    const home = ["", "home", "ann", "project"].join("/");
    const files = { "a.md": `see ${home}`, "b.md": `see https://example.com${home}`, "c.md": "see /var/lib/headgate" };
    assert.deepEqual(places(machinePaths, files), ["a.md:1"]);
  });
});

describe("documents", () => {
  test("finds links to missing files and headings, not those in code or to other sites", () => {
    const files = {
      "README.md":
        "[a](docs/a.md)\n[b](docs/b.md)\n[c](docs/a.md#the-c-part)\n[d](docs/a.md#d)\n`[e](e.md)`\n[f](https://example.com/f)\n[g](#h)\n",
      "docs/a.md": "# A\n\n## The `C` part\n\n[up](../README.md) [folder](../docs/)\n",
    };
    assert.deepEqual(places(documentLinks, files), ["README.md:2", "README.md:4", "README.md:7"]);
  });

  const record = (title: string): string =>
    `# ${title}\n\n## Context\n\na\n\n## Decision\n\nb\n\n## Consequences\n\nc\n\n## What would make us change it\n\nd\n`;

  test("finds decision records with gaps in their numbers, missing or empty sections", () => {
    const files = {
      "docs/decisions/0001-a.md": record("1. A"),
      "docs/decisions/0003-b.md": record("3. B"),
      "docs/decisions/0004-c.md": record("4. C").replace("## Consequences\n\nc\n\n", ""),
    };
    const found = places(decisionRecords, files);
    assert.deepEqual(found, ["docs/decisions/0003-b.md:1", "docs/decisions/0004-c.md:1", "docs/decisions/0004-c.md:1"]);
    const empty = { "docs/decisions/0001-a.md": record("1. A").replace("\nb\n", "\n") };
    assert.match(decisionRecords(createTree(empty))[0]?.advice ?? "", /"Decision" is empty/);
  });

  test("asks for a decision record of every runtime dependency", () => {
    const files = {
      "package.json": `{\n  "dependencies": {\n    "kysely": "1",\n    "left-pad": "1"\n  }\n}`,
      "docs/decisions/0001-a.md": record("1. Queries with `kysely`"),
    };
    assert.deepEqual(places(dependencyDecisions, files), ["package.json:4"]);
  });
});
