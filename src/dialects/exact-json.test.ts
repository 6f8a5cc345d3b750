import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../test/support/properties.ts";
import { parseJsonDocument } from "../kernel/json-document.ts";
import { parseExactJson, readExactBody } from "./exact-json.ts";

test("keeps the digits of numbers that a double cannot hold", () => {
  const text =
    '{"id":12345678901234567890,"big":1e400,"tiny":1e-400,"pi":3.14159265358979323846,"x":[-9007199254740993]}';
  assert.equal(JSON.stringify(parseExactJson(text)), text);
});

test("finds such a number wherever it stands", () => {
  const numbers = fc.constantFrom("12345678901234567890", "-1e400", "0.1234567890123456789", "-9007199254740993");
  const spaces = fc.constantFrom("", " ", "\n\t", "   ");
  const frames = fc.constantFrom(["", ""], ["[", "]"], ["[1,", ",2]"], ['{"a":', "}"], ['{"a":[{"b":', ',"c":":1"}]}']);
  fc.assert(
    fc.property(frames, numbers, spaces, spaces, ([before, after], number, left, right) => {
      const written = JSON.stringify(parseExactJson(`${before}${left}${number}${right}${after}`));
      assert.equal(written, `${before}${number}${after}`);
    }),
  );
});

test("gives plain numbers wherever a double holds them", () => {
  assert.deepEqual(parseExactJson('{"a":5.0,"b":1e3,"c":0e9,"d":-0.5,"e":9007199254740991,"f":12345678.12345678}'), {
    a: 5,
    b: 1000,
    c: 0,
    d: -0.5,
    e: 9007199254740991,
    f: 12345678.12345678,
  });
});

test("reads what JSON.parse reads and refuses what it refuses", () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      assert.equal(JSON.stringify(parseExactJson(text)), JSON.stringify(JSON.parse(text)));
    }),
  );
  for (const text of ["", "{", '{"n":12345678901234567890,}']) assert.throws(() => parseExactJson(text), SyntaxError);
});

test("reads a caller's body to the digit, whatever else stands in it", () => {
  for (const text of ['{"id":12345678901234567890,"text":"ü €"}', '{"a":{"id":-1e400}}', '{"a":[1,"€"]}']) {
    const document = parseJsonDocument(Buffer.from(text), { depth: 10 });
    assert.equal(JSON.stringify(readExactBody(document)), text);
  }
});
