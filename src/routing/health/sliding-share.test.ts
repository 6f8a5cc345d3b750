import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../../test/support/properties.ts";
import { SlidingShare } from "./sliding-share.ts";

test("counts of late are those of the last buckets, over any history", () => {
  const events = fc.array(fc.record({ waitMs: fc.nat(2_500), all: fc.nat(3), some: fc.nat(3) }), { maxLength: 100 });
  fc.assert(
    fc.property(events, fc.integer({ min: 1, max: 12 }), (given, buckets) => {
      const share = new SlidingShare(1_000, buckets);
      const seen: { bucket: number; all: number; some: number }[] = [];
      let nowMs = 0;
      for (const { waitMs, all, some } of given) {
        nowMs += waitMs;
        share.add(all, some, nowMs);
        seen.push({ bucket: Math.floor(nowMs / 1_000), all, some });
        const late = seen.filter(({ bucket }) => bucket > Math.floor(nowMs / 1_000) - buckets);
        const sum = (of: "all" | "some"): number => late.reduce((total, each) => total + each[of], 0);
        assert.deepEqual([share.all(nowMs), share.some(nowMs)], [sum("all"), sum("some")]);
      }
    }),
  );
});

test("what is told late counts where it began, as long as that is counted", () => {
  const share = new SlidingShare(1_000, 3);
  share.add(1, 0, 4_500);
  share.addAt(10, 5, 3_100, 5_200);
  share.addAt(100, 50, 2_900, 5_200);
  assert.deepEqual([share.all(5_200), share.some(5_200), share.allOfTwo(5_200)], [11, 5, 1]);
  assert.deepEqual([share.all(6_000), share.allOfTwo(6_000)], [1, 0]);
});

test("everything is forgotten after a long time, and at a reset", () => {
  const share = new SlidingShare(1_000, 10);
  share.add(7, 3, 500);
  assert.deepEqual([share.all(9_999), share.some(9_999)], [7, 3]);
  assert.deepEqual([share.all(1e12), share.some(1e12)], [0, 0]);
  share.add(7, 3, 1e12);
  share.reset();
  assert.deepEqual([share.all(1e12), share.some(1e12)], [0, 0]);
});
