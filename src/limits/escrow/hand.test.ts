import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../../test/support/properties.ts";
import { Hand } from "./hand.ts";

test("a settlement takes from what it held, then from what is free; only the rest is not covered", () => {
  const hand = new Hand();
  hand.receive(100n);
  hand.take(60n);
  assert.equal(hand.settle(60n, 50n), 50n);
  assert.deepEqual([hand.free, hand.held, hand.all], [40n, 10n, 50n]);
  hand.release(10n, false);
  hand.take(20n);
  assert.equal(hand.settle(20n, 35n), 35n);
  assert.deepEqual([hand.free, hand.held, hand.all], [15n, 0n, 15n]);
  hand.take(5n);
  assert.equal(hand.settle(5n, 20n), 15n);
  assert.deepEqual([hand.free, hand.held, hand.all], [0n, 0n, 0n]);
});

test("what is stale goes back with the next return and is not free before", () => {
  const hand = new Hand();
  hand.receive(100n);
  hand.take(60n);
  hand.settle(60n, 20n);
  hand.release(40n, true);
  assert.deepEqual([hand.free, hand.stale, hand.held, hand.all], [40n, 40n, 0n, 80n]);
  assert.equal(hand.giveBack(10n), 50n);
  assert.deepEqual([hand.free, hand.stale, hand.all], [30n, 0n, 30n]);
  assert.throws(() => hand.giveBack(31n), /free/);
});

test("what is taken beyond what is free is lacking, and is overdraft where it is used before it comes", () => {
  const hand = new Hand();
  hand.receive(10n);
  hand.take(30n);
  hand.take(25n);
  assert.deepEqual([hand.free, hand.held, hand.all, hand.consumed], [-45n, 55n, 10n, 55n]);
  assert.equal(hand.settle(30n, 20n), 0n);
  assert.deepEqual([hand.free, hand.held, hand.all, hand.consumed], [-25n, 35n, 10n, 55n]);
  hand.receive(20n);
  assert.equal(hand.settle(25n, 40n), 20n);
  assert.deepEqual([hand.free, hand.held, hand.all, hand.consumed], [0n, 10n, 10n, 70n]);
  hand.release(10n, false);
  assert.deepEqual([hand.free, hand.held, hand.consumed], [10n, 0n, 60n]);
});

test("what is released is stale only as far as nothing is lacking: what never came is not given back", () => {
  const hand = new Hand();
  hand.receive(10n);
  hand.take(25n);
  hand.release(20n, true);
  assert.deepEqual([hand.free, hand.stale, hand.held, hand.all], [0n, 5n, 5n, 10n]);
  hand.take(7n);
  assert.equal(hand.giveBack(0n), 5n);
  assert.deepEqual([hand.free, hand.held, hand.all], [-7n, 12n, 5n]);
});

test("every amount that came is free, held, stale, given back or spent", () => {
  const amount = fc.bigInt(0n, 100n);
  const holding = fc.record({ take: amount, used: fc.bigInt(0n, 150n), isStale: fc.boolean() });
  fc.assert(
    fc.property(fc.boolean(), fc.array(fc.tuple(amount, holding, amount), { maxLength: 50 }), (mayLack, steps) => {
      const hand = new Hand();
      const open: { held: bigint; used: bigint; isStale: boolean }[] = [];
      let [came, gone, consumed] = [0n, 0n, 0n];
      for (const [received, { take, used, isStale }, returned] of steps) {
        hand.receive(received);
        came += received;
        if (mayLack || take <= hand.free) {
          hand.take(take);
          open.push({ held: take, used, isStale });
        }
        const ended = open.length > 3 ? open.shift() : undefined;
        if (ended !== undefined) {
          const within = ended.held + hand.free;
          const covered = hand.settle(ended.held, ended.used);
          const most = within > 0n ? within : 0n;
          assert.equal(covered, ended.used < most ? ended.used : most);
          gone += covered;
          consumed += ended.used;
          if (ended.used < ended.held) hand.release(ended.held - ended.used, ended.isStale);
        }
        gone += hand.giveBack(returned < hand.free ? returned : 0n);
        assert.equal(hand.all, came - gone);
        const held = open.reduce((sum, each) => sum + each.held, 0n);
        assert.equal(hand.held, held);
        assert.equal(hand.consumed, consumed + held);
        assert.ok(hand.all >= 0n && hand.stale === 0n && (mayLack || hand.free >= 0n));
      }
    }),
  );
});
