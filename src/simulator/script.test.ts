import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { faultCatalogue, parseFault } from "./faults.ts";
import { parseScript, ScriptError } from "./script.ts";

describe("scripts", () => {
  test("a bare model name has no directives", () => {
    const script = parseScript("sim-chat");
    assert.equal(script.model, "sim-chat");
    assert.equal(script.tokens, null);
    assert.equal(script.rate, null);
    assert.deepEqual(script.faults, []);
  });

  test("commas inside parentheses belong to the distribution", () => {
    const script = parseScript(
      "sim-chat:ttft=lognormal(300,0.4),rate=uniform(40,60),tokens=200,cache-read=1000,cache-write=200",
    );
    assert.deepEqual(script.ttft, { shape: "lognormal", first: 300, second: 0.4 });
    assert.deepEqual(script.rate, { shape: "uniform", first: 40, second: 60 });
    assert.equal(script.tokens, 200);
    assert.equal(script.cacheRead, 1000);
    assert.equal(script.cacheWrite5m, 200);
  });

  test("the header's directives win over the model's", () => {
    assert.equal(parseScript("sim-mini:tokens=1", "tokens=2").tokens, 2);
  });

  test("faults take a place, an argument, or both", () => {
    const places = parseScript("sim-chat:fault=cut-mid-token@10,fault=huge-event:3@2,fault=bad-key:west").faults;
    assert.deepEqual(
      places.map(({ name, at, argument }) => [name, at, argument]),
      [
        ["cut-mid-token", 10, ""],
        ["huge-event", 2, "3"],
        ["bad-key", 0, "west"],
      ],
    );
  });

  test("status and flapping are short for a fault", () => {
    assert.deepEqual(parseScript("sim-chat:status=529").faults[0], {
      name: "status",
      kind: "before",
      at: 0,
      argument: "529",
    });
    const flapping = parseScript("sim-chat:fault=flapping:3");
    assert.equal(flapping.every, 3);
    assert.equal(flapping.faults[0]?.argument, "503");
  });

  test("a tag makes another script of the same behaviour", () => {
    const { text: tagged, ...rest } = parseScript("sim-chat:tokens=5,tag=west-1");
    const { text: plain, ...same } = parseScript("sim-chat:tokens=5");
    assert.deepEqual(rest, same);
    assert.notEqual(tagged, plain);
  });

  const wrong = [
    "tag=",
    "tag=a b",
    "tokns=3",
    "tokens=x",
    "tokens=-1",
    "tokens=99999999",
    "every=0",
    "ttft=soon",
    "rate=normal(1)",
    "fault=nothing",
    "status=200",
    "finish=never",
    "retry-after=later",
  ];
  for (const directive of wrong) {
    test(`refuses ${directive} and names it`, () => {
      const name = directive.slice(0, directive.indexOf("="));
      assert.throws(
        () => parseScript(`sim-chat:${directive}`),
        (thrown: unknown) => thrown instanceof ScriptError && thrown.message.includes(name),
      );
    });
  }

  test("every fault of the catalogue has a name that parses and a sentence", () => {
    for (const [name, entry] of Object.entries(faultCatalogue)) {
      assert.equal(parseFault(name)?.name, name);
      assert.match(entry.summary, /^[A-Z0-9].*\.$/s);
    }
  });
});
