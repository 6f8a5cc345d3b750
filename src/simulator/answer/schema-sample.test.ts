import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Random } from "./random.ts";
import { sampleSchema } from "./schema-sample.ts";

/** Many samples of one schema: what is claimed must hold for each. */
function samples(schema: unknown): unknown[] {
  return Array.from({ length: 50 }, (_, seed) => sampleSchema(schema, new Random(seed)));
}

describe("values made for a JSON Schema", () => {
  test("an object has its required properties, each of its type", () => {
    const schema = {
      type: "object",
      properties: {
        name: { type: "string" },
        age: { type: "integer", minimum: 18, maximum: 30 },
        member: { type: "boolean" },
      },
      required: ["name", "age", "member"],
      additionalProperties: false,
    };
    for (const value of samples(schema)) {
      const { name, age, member, ...rest } = value as Record<string, unknown>;
      assert.equal(typeof name, "string");
      assert.ok(Number.isInteger(age) && Number(age) >= 18 && Number(age) <= 30);
      assert.equal(typeof member, "boolean");
      assert.deepEqual(rest, {});
    }
  });

  test("enum, const and anyOf give one of what is allowed", () => {
    for (const value of samples({ enum: ["a", "b"] })) assert.ok(value === "a" || value === "b");
    for (const value of samples({ const: 7 })) assert.equal(value, 7);
    for (const value of samples({ anyOf: [{ type: "null" }, { type: "integer" }] }))
      assert.ok(value === null || Number.isInteger(value));
    for (const value of samples({ type: ["string", "null"] })) assert.equal(typeof value, "string");
  });

  test("bounds of arrays, strings and numbers hold", () => {
    for (const value of samples({
      type: "array",
      items: { type: "string", minLength: 3, maxLength: 5 },
      minItems: 3,
      maxItems: 4,
    })) {
      assert.ok(Array.isArray(value) && value.length >= 3 && value.length <= 4);
      for (const item of value) assert.ok(String(item).length >= 3 && String(item).length <= 5);
    }
    for (const value of samples({ type: "number", exclusiveMinimum: 0, exclusiveMaximum: 2 }))
      assert.ok(Number(value) > 0 && Number(value) < 2);
    for (const value of samples({ type: "integer", multipleOf: 5, minimum: 11, maximum: 90 }))
      assert.ok(Number(value) % 5 === 0 && Number(value) >= 11 && Number(value) <= 90);
  });

  test("references are followed, and recursive schemas end", () => {
    const tree = {
      $ref: "#/$defs/node",
      $defs: {
        node: {
          type: "object",
          properties: { name: { type: "string" }, next: { anyOf: [{ $ref: "#/$defs/node" }, { type: "null" }] } },
          required: ["name", "next"],
        },
      },
    };
    for (const value of samples(tree)) {
      let node = value as { name: unknown; next: unknown } | null;
      while (node !== null) {
        assert.equal(typeof node.name, "string");
        node = node.next as typeof node;
      }
    }
  });

  test("allOf is the union of its parts", () => {
    const schema = {
      allOf: [
        { type: "object", properties: { a: { const: 1 } }, required: ["a"] },
        { properties: { b: { const: 2 } }, required: ["b"] },
      ],
    };
    for (const value of samples(schema)) assert.deepEqual(value, { a: 1, b: 2 });
  });

  test("the same seed gives the same value", () => {
    const schema = {
      type: "object",
      properties: { n: { type: "number" }, s: { type: "string" } },
      required: ["n", "s"],
    };
    assert.deepEqual(sampleSchema(schema, new Random(9)), sampleSchema(schema, new Random(9)));
  });
});
