import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../test/support/properties.ts";
import { Roster, type RosterMember } from "./roster.ts";

test("holds what a set holds, whatever is added and removed in whatever order", () => {
  const step = fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 12 }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const members: RosterMember[] = Array.from({ length: 13 }, () => ({ rosterPlace: -1 }));
      const roster = new Roster<RosterMember>();
      const model = new Set<RosterMember>();
      for (const [adds, index] of steps) {
        const member = members[index];
        assert.ok(member);
        if (adds) {
          roster.add(member);
          model.add(member);
        } else {
          roster.delete(member);
          model.delete(member);
        }
        assert.equal(roster.size, model.size);
      }
      assert.deepEqual(new Set(roster.members()), model);
    }),
  );
});
