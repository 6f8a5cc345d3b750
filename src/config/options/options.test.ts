import assert from "node:assert/strict";
import { test } from "node:test";
import type { OptionNode, ScalarNode } from "./option.ts";
import { configOptions, optionAt, settableOptions } from "./options.ts";
import { schemaOf } from "./schema.ts";

test("every option is explained in a sentence", () => {
  for (const node of nodesUnder(configOptions)) assert.match(node.doc, /^[A-Z`].*[.…]$/, node.doc);
});

test("every option says what leaving it out means", () => {
  for (const option of scalars()) {
    assert.ok(option.required || option.default !== undefined || option.absent !== null, option.doc);
    if (option.default === null) assert.notEqual(option.absent, null, option.doc);
  }
});

test("every default keeps the rules of its own option", () => {
  for (const { path, option } of settableOptions()) {
    if (option.default !== null) assert.equal(schemaOf(option).safeParse(option.default).success, true, path);
  }
});

test("zero is explained exactly where it is allowed", () => {
  for (const option of scalars()) {
    if (["integer", "number", "duration", "size"].includes(option.type)) {
      assert.equal(option.zero !== null, option.min === 0, option.doc);
    }
  }
});

test("variables and flags are unique, and the promised ones are there", () => {
  const variables = settableOptions().map((settable) => settable.env);
  const flags = settableOptions().flatMap((settable) => settable.flag ?? []);
  assert.equal(new Set(variables).size, variables.length);
  assert.equal(new Set(flags).size, flags.length);
  for (const name of ["HEADGATE_PORT", "HEADGATE_HOST", "HEADGATE_DATA_DIR", "HEADGATE_LIMITS_BODY_BYTES"]) {
    assert.ok(variables.includes(name), name);
  }
});

test("finds the declaration at a path through sections, dictionaries and lists", () => {
  assert.equal(optionAt(["providers", "openai", "credentials", 3, "key"])?.node, "scalar");
  assert.equal(optionAt(["models", "fast", "targets"])?.node, "list");
  assert.equal(optionAt(["server", "prot"]), null);
  assert.equal(optionAt(["server", "port", "deeper"]), null);
});

function scalars(): readonly ScalarNode[] {
  return nodesUnder(configOptions).flatMap((node) => (node.node === "scalar" ? [node] : []));
}

function nodesUnder(node: OptionNode): readonly OptionNode[] {
  switch (node.node) {
    case "scalar":
      return [node];
    case "group":
      return [node, ...Object.values(node.fields).flatMap(nodesUnder)];
    case "dictionary":
      return [node, ...nodesUnder(node.value)];
    case "list":
      return [node, ...nodesUnder(node.item)];
  }
}
