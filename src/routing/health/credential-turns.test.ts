import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fc } from "../../../test/support/properties.ts";
import { CredentialTurns } from "./credential-turns.ts";

const names = ["a", "b", "c"];

function taken(turns: CredentialTurns, count: number, nowMs: number): string {
  return Array.from({ length: count }, () => turns.next(names, [], nowMs)).join("");
}

describe("turns of credentials", () => {
  test("go round, without those that the request has tried", () => {
    const turns = new CredentialTurns();
    assert.equal(taken(turns, 5, 0), "abcab");
    assert.equal(turns.next(names, ["c"], 0), "a");
    assert.equal(turns.next(names, ["a", "b", "c"], 0), null);
    assert.equal(turns.next([], [], 0), null);
  });

  test("leave out one that was refused for a minute, and for twice as long each time it is refused again", () => {
    const turns = new CredentialTurns();
    let nowMs = 0;
    const waits: number[] = [];
    for (let refusal = 0; refusal < 7; refusal++) {
      turns.refused("b", nowMs);
      const sinceMs = nowMs;
      while (!taken(turns, 3, nowMs).includes("b")) nowMs += 1_000;
      waits.push((nowMs - sinceMs) / 60_000);
    }
    assert.deepEqual(waits, [1, 2, 4, 8, 15, 15, 15]);
  });

  test("count refusals of calls that were under way together as one", () => {
    const turns = new CredentialTurns();
    for (let call = 0; call < 50; call++) turns.refused("b", call);
    assert.equal(taken(turns, 4, 59_999), "acac");
    assert.ok(taken(turns, 3, 60_000).includes("b"));
  });

  test("leave out one that is limited for as long as the provider asks, and no longer than a quarter of an hour", () => {
    const turns = new CredentialTurns();
    turns.limited("a", 2_000, 0);
    turns.limited("b", 365 * 86_400_000, 0);
    turns.limited("c", null, 0);
    assert.equal(taken(turns, 2, 2_000), "aa");
    assert.ok(!taken(turns, 4, 899_999).includes("b"));
    assert.ok(taken(turns, 4, 900_000).includes("b"));
  });

  test("bring a marked one back at once when a call of it that began after the mark was accepted", () => {
    const turns = new CredentialTurns();
    turns.refused("a", 1_000);
    turns.accepted("a", 999);
    assert.ok(!taken(turns, 4, 2_000).includes("a"));
    turns.accepted("a", 1_500);
    assert.ok(taken(turns, 4, 2_000).includes("a"));
    turns.refused("a", 3_000);
    assert.ok(taken(turns, 4, 63_000).includes("a"), "its refusals of before are forgotten");
  });

  test("give the one whose mark ends first where all are marked", () => {
    const turns = new CredentialTurns();
    turns.refused("a", 0);
    turns.limited("b", 5_000, 0);
    turns.limited("c", 30_000, 0);
    assert.deepEqual(
      [turns.next(names, [], 1), turns.next(names, ["b"], 1), turns.next(names, ["b", "c"], 1)],
      ["b", "c", "a"],
    );
  });

  test("always give one that was not tried while there is one, and an unmarked one if there is", () => {
    const event = fc.record({
      kind: fc.constantFrom("refused" as const, "limited" as const, "accepted" as const),
      name: fc.constantFrom(...names),
      waitMs: fc.nat(100_000),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), fc.subarray(names), (events, tried) => {
        const turns = new CredentialTurns();
        const marked = new Set<string>();
        let nowMs = 0;
        for (const { kind, name, waitMs } of events) {
          nowMs += waitMs;
          if (kind === "refused") turns.refused(name, nowMs);
          else if (kind === "limited") turns.limited(name, null, nowMs);
          else turns.accepted(name, nowMs);
          if (kind === "accepted") marked.delete(name);
          else marked.add(name);
          const next = turns.next(names, tried, nowMs);
          assert.equal(next === null, tried.length === names.length);
          if (next === null) continue;
          assert.ok(!tried.includes(next));
          const hasUnmarked = names.some((each) => !tried.includes(each) && !marked.has(each));
          const soon = turns.next([next], [], nowMs + 900_000);
          assert.equal(soon, next);
          if (hasUnmarked && marked.has(next)) {
            // Its mark must be over: then alone with an unmarked one it still gets its turn.
            const unmarked = names.find((each) => !marked.has(each))!;
            const both = [turns.next([next, unmarked], [], nowMs), turns.next([next, unmarked], [], nowMs)];
            assert.ok(both.includes(next));
          }
        }
      }),
    );
  });
});
