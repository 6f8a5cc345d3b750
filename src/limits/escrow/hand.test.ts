import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
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

test("every amount that came is free, held, stale, given back or spent", () => {
  const amount = fc.bigInt(0n, 100n);
  const holding = fc.record({ take: amount, used: fc.bigInt(0n, 150n), isStale: fc.boolean() });
  fc.assert(
    fc.property(fc.array(fc.tuple(amount, holding, amount), { maxLength: 50 }), (steps) => {
      const hand = new Hand();
      const open: { held: bigint; used: bigint; isStale: boolean }[] = [];
      let [came, gone] = [0n, 0n];
      for (const [received, { take, used, isStale }, returned] of steps) {
        hand.receive(received);
        came += received;
        if (take <= hand.free) {
          hand.take(take);
          open.push({ held: take, used, isStale });
        }
        const ended = open.length > 3 ? open.shift() : undefined;
        if (ended !== undefined) {
          const within = ended.held + hand.free;
          const covered = hand.settle(ended.held, ended.used);
          assert.equal(covered, ended.used < within ? ended.used : within);
          gone += covered;
          if (ended.used < ended.held) hand.release(ended.held - ended.used, ended.isStale);
        }
        gone += hand.giveBack(returned < hand.free ? returned : 0n);
        assert.equal(hand.all, came - gone);
        assert.equal(
          hand.held,
          open.reduce((sum, { held }) => sum + held, 0n),
        );
        assert.ok(hand.free >= 0n && hand.stale >= 0n);
      }
    }),
  );
});
