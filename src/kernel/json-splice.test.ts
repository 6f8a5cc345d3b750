import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fc } from "../../test/support/properties.ts";
import { parseJsonDocument } from "./json-document.ts";
import { type MemberChange, spliceMembers } from "./json-splice.ts";

function splice(text: string, changes: readonly MemberChange[]): string {
  const spliced = spliceMembers(parseJsonDocument(Buffer.from(text), { depth: 16 }), changes);
  return Buffer.from(spliced).toString("utf8");
}

/** Not `JSON.parse`, which misreads escaped names: see json-exact.ts. */
function parse(text: string): object {
  return parseJsonDocument(Buffer.from(text), { depth: 16 }).root;
}

describe("spliceMembers", () => {
  test("replaces a value and leaves every other byte", () => {
    assert.equal(
      splice('{ "model" :"a" , "x": [1, 2 ],"é":"☃" }\n', [{ name: "model", json: '"b/c"' }]),
      '{ "model" :"b/c" , "x": [1, 2 ],"é":"☃" }\n',
    );
  });

  test("finds a member whose name is written with escapes", () => {
    assert.equal(splice('{"mod\\u0065l":"a"}', [{ name: "model", json: '"b"' }]), '{"mod\\u0065l":"b"}');
  });

  test("adds members at the end, also to an empty object", () => {
    const change = [
      { name: "a", json: "1" },
      { name: "b", json: "2" },
    ];
    assert.equal(splice('{"x":0 } ', change), '{"x":0,"a":1,"b":2 } ');
    assert.equal(splice(" { } ", change), ' {"a":1,"b":2 } ');
  });

  test("removes the first, a middle, the last and the only member", () => {
    const text = '{ "a":1, "b":2,\n"c":3 }';
    assert.equal(splice(text, [{ name: "a", json: null }]), '{ "b":2,\n"c":3 }');
    assert.equal(splice(text, [{ name: "b", json: null }]), '{ "a":1,\n"c":3 }');
    assert.equal(splice(text, [{ name: "c", json: null }]), '{ "a":1, "b":2 }');
    assert.equal(splice('{ "a":1 }', [{ name: "a", json: null }]), "{  }");
    assert.equal(splice(text, [{ name: "absent", json: null }]), text);
  });

  test("equals the same edit on the parsed object, for any object and any changes", () => {
    const name = fc.constantFrom("a", "b", "c", "model", "é", '"', "\\");
    const object = fc.uniqueArray(fc.tuple(name, fc.jsonValue({ maxDepth: 2 })), { selector: ([key]) => key });
    const changes = fc.uniqueArray(
      fc.record({ name, value: fc.option(fc.jsonValue({ maxDepth: 1 }), { nil: undefined }) }),
      {
        selector: (change) => change.name,
      },
    );
    fc.assert(
      fc.property(object, changes, fc.constantFrom(0, 1, 2), (entries, edits, indent) => {
        const text = JSON.stringify(Object.fromEntries(entries), null, indent);
        const expected = new Map<string, unknown>(Object.entries(parse(text)));
        for (const edit of edits) {
          if (edit.value === undefined) expected.delete(edit.name);
          else expected.set(edit.name, JSON.parse(JSON.stringify(edit.value)));
        }
        const spliced = splice(
          text,
          edits.map((edit) => ({
            name: edit.name,
            json: edit.value === undefined ? null : JSON.stringify(edit.value),
          })),
        );
        assert.deepEqual(Object.entries(parse(spliced)), [...expected]);
      }),
    );
  });
});
