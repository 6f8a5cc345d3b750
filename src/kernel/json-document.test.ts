import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fc } from "../../test/support/properties.ts";
import { HeadgateError, type ErrorCode } from "./errors.ts";
import { parseJsonDocument } from "./json-document.ts";

const limits = { depth: 8 };

function refusal(body: string | Uint8Array): HeadgateError {
  try {
    parseJsonDocument(typeof body === "string" ? Buffer.from(body) : body, limits);
  } catch (thrown) {
    assert.ok(thrown instanceof HeadgateError);
    return thrown;
  }
  assert.fail("the body was accepted");
}

function assertRefused(body: string | Uint8Array, code: ErrorCode, message: RegExp): void {
  const error = refusal(body);
  assert.equal(error.code, code);
  assert.match(error.message, message);
}

/** What JSON keeps of a value (`-0` becomes `0`), without parsing names: the engine misreads escaped ones. */
function normalise(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(normalise);
  if (typeof value !== "object" || value === null) return JSON.parse(JSON.stringify(value));
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, normalise(member)]));
}

describe("parseJsonDocument", () => {
  test("gives the spans of top-level members without surrounding white space", () => {
    const text = ' { "model" : "gpt" ,\n"messages":[ {"a":":,"} ] , "n\\u0031": 1 } ';
    const document = parseJsonDocument(Buffer.from(text), limits);
    assert.deepEqual(
      document.members.map((member) => [member.name, text.slice(member.valueStart, member.valueEnd)]),
      [
        ["model", '"gpt"'],
        ["messages", '[ {"a":":,"} ]'],
        ["n1", "1"],
      ],
    );
    assert.equal(text[document.members[1]?.keyStart ?? 0], '"');
  });

  test("reads a view into a larger buffer", () => {
    const whole = new TextEncoder().encode('xx{"a":1}yy');
    assert.deepEqual(parseJsonDocument(whole.subarray(2, 9), limits).root, { a: 1 });
  });

  test("refuses bytes that are not UTF-8 and names the offset", () => {
    const bytes = Buffer.concat([Buffer.from('{"a":"é�'), Buffer.from([0xc3]), Buffer.from('"}')]);
    assertRefused(bytes, "invalid_encoding", /at byte 11\./);
  });

  test("refuses a byte order mark", () => {
    assertRefused("\ufeff{}", "invalid_encoding", /byte order mark/);
  });

  test("names line and column of a syntax error and what was expected, without quoting the body", () => {
    const secret = '{"prompt": "secret words",\n  "b": tru }';
    assertRefused(secret, "invalid_json", /line 2, column 8: a value is expected here/);
    assert.doesNotMatch(refusal(secret).message, /secret/);
    assert.equal(refusal(secret).cause, undefined);
  });

  const broken: readonly (readonly [string, RegExp])[] = [
    ["", /line 1, column 1: the text ends/],
    ['{"a":1', /column 7: the text ends/],
    ['{"a":"x', /the text ends/],
    ['{"a":1}}', /column 8: there is something after/],
    ['{"a" 1}', /a colon is expected/],
    ['{"a":1 "b":2}', /a comma or a closing brace/],
    ['{"a":[1 2]}', /a comma or a closing bracket/],
    ['{"a":1,}', /a field name in double quotes/],
    ["{'a':1}", /a field name in double quotes/],
    ['{"a":01}', /a comma or a closing brace/],
    ['{"a":"\\x"}', /not an escape sequence/],
    ['{"a":"tab\there"}', /control character/],
    ['{"a":NaN}', /a value is expected/],
  ];
  for (const [body, message] of broken) {
    test(`refuses ${JSON.stringify(body)}`, () => assertRefused(body, "invalid_json", message));
  }

  test("refuses a document that is not an object", () => {
    assertRefused("[1]", "invalid_value", /not an array/);
    assertRefused('"x"', "invalid_value", /not a string/);
    assertRefused("null", "invalid_value", /not null/);
  });

  test("refuses nesting over the limit, also when the body is nothing but brackets", () => {
    assertRefused('{"a":'.repeat(9), "nesting_too_deep", /deeper than 8 levels at byte 40/);
    assertRefused("[".repeat(5_000_000), "nesting_too_deep", /at byte 8/);
    const deepest = `${'{"a":'.repeat(7)}{}${"}".repeat(7)}`;
    assert.doesNotThrow(() => parseJsonDocument(Buffer.from(deepest), limits));
  });

  test("does not count brackets inside strings as nesting", () => {
    assert.doesNotThrow(() => parseJsonDocument(Buffer.from(`{"a":"${"[{".repeat(100)}"}`), limits));
  });

  test("refuses a field named twice at any level and names its path", () => {
    assert.equal(refusal('{"model":1,"model":2}').param, "model");
    assert.equal(refusal('{"model":1,"mod\\u0065l":2}').param, "model");
    assert.equal(refusal('{"messages":[{"role":1},{"content":1,"content":2}]}').param, "messages[1].content");
    assert.equal(refusal('{"a":{"odd name":1,"odd name":2}}').param, 'a["odd name"]');
    assert.equal(refusal('{"__proto__":1,"__proto__":2}').param, "__proto__");
    assert.equal(refusal('{"é":1,"\\u00e9":2}').code, "duplicate_field");
  });

  test("sees an escaped name as it is, whatever names were parsed before in this process", () => {
    JSON.parse('{"model":1,"mod\\\\u":2}');
    assert.equal(refusal('{"model":"cheap","mod\\u0065l":"dear"}').param, "model");
    assert.deepEqual(parseJsonDocument(Buffer.from('{"n":1,"mod\\u0065l":"a"}'), limits).root, { n: 1, model: "a" });
  });

  test("accepts the same name in different objects, and the name __proto__", () => {
    const document = parseJsonDocument(Buffer.from('{"a":{"a":1},"b":[{"a":1},{"a":2}],"__proto__":{"a":3}}'), limits);
    assert.deepEqual(Object.keys(document.root), ["a", "b", "__proto__"]);
  });

  test("accepts escaped lone surrogates", () => {
    assert.deepEqual(parseJsonDocument(Buffer.from('{"a":"\\ud800"}'), limits).root, { a: "\ud800" });
  });

  test("finds the end of long strings with escapes", () => {
    const value = `${"x".repeat(100)}\\"${"\\".repeat(51)}"${"y".repeat(30)}`;
    const text = JSON.stringify({ first: value, second: "z" });
    const document = parseJsonDocument(Buffer.from(text), limits);
    assert.deepEqual(document.root, { first: value, second: "z" });
    assert.equal(document.members.length, 2);
  });

  test("accepts every JSON object and finds each member's own text", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue({ maxDepth: 4 })),
        fc.boolean(),
        (value, pretty) => {
          const bytes = Buffer.from(JSON.stringify(value, null, pretty ? 2 : 0));
          const document = parseJsonDocument(bytes, limits);
          assert.deepEqual(document.root, normalise(value));
          const read = document.members.map(({ name, valueStart, valueEnd }) => [
            name,
            JSON.parse(bytes.toString("utf8", valueStart, valueEnd)) as unknown,
          ]);
          assert.deepEqual(Object.fromEntries(read), document.root);
        },
      ),
    );
  });

  test("refuses with a catalogue error, and never crashes, on any bytes", () => {
    const fragment = fc.constantFrom(
      "{",
      "}",
      "[",
      "]",
      '"',
      "\\",
      ":",
      ",",
      "a",
      "1",
      " ",
      "\n",
      "é",
      "\\u00",
      "null",
    );
    fc.assert(
      fc.property(fc.array(fragment, { maxLength: 30 }), (parts) => {
        const text = parts.join("");
        let expected: unknown;
        try {
          expected = JSON.parse(text);
        } catch {
          expected = undefined;
        }
        try {
          assert.deepEqual(parseJsonDocument(Buffer.from(text), limits).root, expected);
        } catch (thrown) {
          assert.ok(thrown instanceof HeadgateError, String(thrown));
          if (expected === undefined) assert.ok(["invalid_json", "nesting_too_deep"].includes(thrown.code));
          else assert.ok(["invalid_value", "duplicate_field", "nesting_too_deep"].includes(thrown.code));
        }
      }),
      { numRuns: 2000 },
    );
  });
});
