import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { anAllowance, aScope } from "../../../test/support/limits-world.ts";
import { toAllowanceRow } from "../allowance-row.ts";
import type { Allowance } from "../allowance.ts";
import type { RequestScope } from "../limits.ts";
import { PathFinder } from "./path-finder.ts";

interface Place {
  readonly finder: PathFinder;
  /** Names of the allowances on the path. */
  namesOf(request?: Partial<RequestScope>): readonly string[];
  change(allowances: readonly Partial<Allowance>[]): void;
  readonly reads: () => number;
  readonly changes: () => number;
}

function createPlace(given: readonly Partial<Allowance>[]): Place {
  let generation = 1;
  let reads = 0;
  let changes = 0;
  let allowances = given;
  const reader = {
    generation: () => generation,
    ofTenant: () => {
      reads++;
      return allowances.map((allowance, index) =>
        toAllowanceRow({ ...anAllowance, id: `alw_${index}`, ...allowance }, generation),
      );
    },
  };
  const finder = new PathFinder(reader, () => changes++);
  return {
    finder,
    namesOf: (request) => finder.find({ ...aScope, ...request })?.allowances.map(({ name }) => name) ?? [],
    change(next) {
      allowances = next;
      generation++;
    },
    reads: () => reads,
    changes: () => changes,
  };
}

describe("a path", () => {
  test("is that of the payer where models, operations and end users do not matter", () => {
    const { finder } = createPlace([{ name: "all" }]);
    const path = finder.find(aScope);
    assert.ok(path);
    assert.equal(finder.find({ ...aScope, endUser: "ada", modelAsked: "other", operation: "embeddings" }), path);
  });

  test("is none where no allowance counts the payer", () => {
    const { finder } = createPlace([{ scope: { ...anAllowance.scope, kind: "key", keyId: "key_2" } }]);
    assert.equal(finder.find(aScope), null);
  });

  test("differs by model and operation where an allowance asks for them", () => {
    const { namesOf } = createPlace([
      { name: "all" },
      { name: "gpt", models: ["gpt-*"] },
      { name: "embeddings", operation: "embeddings" },
    ]);
    assert.deepEqual(namesOf(), ["all", "gpt"]);
    assert.deepEqual(namesOf({ modelAsked: "claude", modelTarget: "anthropic/claude" }), ["all"]);
    assert.deepEqual(namesOf({ operation: "embeddings" }), ["all", "gpt", "embeddings"]);
  });

  test("is one for each end user where they are counted apart", () => {
    const { finder } = createPlace([{ name: "each", scope: { ...anAllowance.scope, kind: "end-user" } }]);
    const [ada, bob] = ["ada", "bob"].map((endUser) => finder.find({ ...aScope, endUser }));
    assert.ok(ada && bob && ada !== bob);
    assert.equal(finder.find({ ...aScope, endUser: "ada" }), ada);
    assert.equal(finder.find(aScope), null);
  });

  test("is not another's, whatever callers call models and end users", () => {
    const { namesOf } = createPlace([
      { name: "each", scope: { ...anAllowance.scope, kind: "end-user" } },
      { name: "models", models: ["a*"] },
    ]);
    assert.deepEqual(namesOf({ modelAsked: "b", modelTarget: "c 1 a", endUser: null }), []);
    assert.deepEqual(namesOf({ modelAsked: "b 7 c", modelTarget: "a", endUser: null }), ["models"]);
    assert.deepEqual(namesOf({ modelAsked: "b", modelTarget: "c", endUser: "x" }), ["each"]);
    assert.deepEqual(namesOf({ modelAsked: "b", modelTarget: "c=x", endUser: null }), []);
  });
});

test("allowances are read once until the store's generation moves", () => {
  const { namesOf, change, reads, changes } = createPlace([{ name: "old" }]);
  const others = ["key_2", "key_3"].map((keyId) => ({ payer: { ...aScope.payer, keyId } }));
  for (const request of [{}, ...others, {}]) assert.deepEqual(namesOf(request), ["old"]);
  assert.deepEqual([reads(), changes()], [1, 1]);
  change([{ name: "new" }]);
  assert.deepEqual(namesOf(), ["new"]);
  assert.deepEqual([reads(), changes()], [2, 2]);
});

test("paths of ever new end users do not add up", () => {
  const { finder, reads } = createPlace([{ scope: { ...anAllowance.scope, kind: "end-user" } }]);
  const first = finder.find({ ...aScope, endUser: "0" });
  for (let user = 1; user <= 20_000; user++) finder.find({ ...aScope, endUser: String(user) });
  assert.notEqual(finder.find({ ...aScope, endUser: "0" }), first);
  assert.equal(reads(), 1);
});
