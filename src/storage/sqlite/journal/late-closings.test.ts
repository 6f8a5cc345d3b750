import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { createVirtualClock, type VirtualClock } from "../../../../test/support/virtual-clock.ts";
import { sampleEntry, sampleRecord } from "../../../../test/contract/samples.ts";
import { HeadgateError } from "../../../kernel/errors.ts";
import type { RequestRecord } from "../../records.ts";
import { LateClosings, type LateClosing } from "./late-closings.ts";

interface Offer {
  readonly record: RequestRecord;
  readonly committed: () => void;
  readonly refused: (error: HeadgateError) => void;
}

const locked = new HeadgateError("storage_unavailable", "locked");

let clock: VirtualClock;
let offers: Offer[];
let told: string[];
let late: LateClosings;

beforeEach(() => {
  clock = createVirtualClock();
  offers = [];
  told = [];
  late = new LateClosings({
    clock,
    lengthMax: 3,
    write: ({ record }, committed, refused) => offers.push({ record, committed, refused }),
    changed: (state, { record }) => told.push(`${record.requestId} ${state}`),
  });
});

function closing(requestId: string): LateClosing {
  return { record: sampleRecord(requestId), entries: [sampleEntry(requestId, `att_${requestId}`)], moves: [] };
}

/** Answers what is on offer and returns whose it was. */
function answer(error: HeadgateError | null): readonly string[] {
  const answered = offers;
  offers = [];
  for (const offer of answered) {
    if (error === null) offer.committed();
    else offer.refused(error);
  }
  return answered.map(({ record }) => record.requestId);
}

test("what is kept is offered again every second until it is committed, and then no more", () => {
  late.keep(closing("a"));
  late.keep(closing("b"));
  assert.deepEqual(offers, []);
  for (let second = 0; second < 3; second++) {
    clock.advance(1000);
    assert.deepEqual(answer(locked), ["a", "b"]);
  }
  clock.advance(1000);
  answer(null);
  clock.advance(10_000);
  assert.deepEqual(offers, []);
  assert.deepEqual(told, ["a kept", "b kept", "a settled", "b settled"]);
});

test("a row that the store refuses for itself is not offered again", () => {
  late.keep(closing("a"));
  clock.advance(1000);
  answer(new HeadgateError("internal", "the row is at fault"));
  clock.advance(10_000);
  assert.deepEqual(offers, []);
  assert.deepEqual(told, ["a kept", "a abandoned"]);
});

test("a request is kept once, by its first closing", () => {
  late.keep(closing("a"));
  late.keep(closing("a"));
  clock.advance(1000);
  assert.deepEqual(answer(null), ["a"]);
  assert.deepEqual(told, ["a kept", "a settled"]);
});

test("without room the oldest that is not on offer is given up", () => {
  late.keep(closing("a"));
  clock.advance(1000);
  for (const requestId of ["b", "c", "d"]) late.keep(closing(requestId));
  assert.deepEqual(told, ["a kept", "b kept", "c kept", "b abandoned", "d kept"]);
  answer(null);
  assert.deepEqual(answer(null), ["c", "d"], "after a success the rest follows at once");
});

test("at the end everything is offered at once, what is still refused is given up, and nothing is kept any more", () => {
  late.keep(closing("a"));
  late.keep(closing("b"));
  late.offerAll();
  offers.pop()?.refused(locked);
  answer(null);
  late.abandonAll();
  late.keep(closing("c"));
  clock.advance(10_000);
  assert.deepEqual(offers, []);
  assert.deepEqual(told, ["a kept", "b kept", "a settled", "b abandoned", "c abandoned"]);
});

test("what went well for the provider is recorded as the caller was told; an error of its own stays", () => {
  const charged = { entries: [sampleEntry("req", "att")], moves: [] };
  late.keep({ record: sampleRecord("stream", { stream: true }), ...charged });
  late.keep({ record: sampleRecord("whole", { stream: false }), ...charged });
  late.keep({
    record: sampleRecord("gone", { ending: "caller-gone", errorCode: "client_closed", status: 499 }),
    ...charged,
  });
  clock.advance(1000);
  assert.deepEqual(
    offers.map(({ record }) => [record.requestId, record.ending, record.errorCode, record.status]),
    [
      ["stream", "gateway-error", "storage_unavailable", 200],
      ["whole", "gateway-error", "storage_unavailable", 503],
      ["gone", "caller-gone", "client_closed", 499],
    ],
  );
});
