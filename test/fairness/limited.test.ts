import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { atMost, simulateLimited, type LimitedOutcome, type LimitedTraffic } from "./limited-provider.ts";

const LENGTH_MS = 30_000;

/** With and without the slowing down. */
async function compare(traffic: () => Omit<LimitedTraffic, "slowsDown">): Promise<readonly LimitedOutcome[]> {
  return [
    await simulateLimited({ ...traffic(), slowsDown: true }),
    await simulateLimited({ ...traffic(), slowsDown: false }),
  ];
}

describe("a provider that limits its rate without saying for how long", () => {
  test("gets a fifth of the calls from a hundred callers, and answers as many of them", async () => {
    const [slowed, unslowed] = await compare(() => ({
      callers: 100,
      lengthMs: LENGTH_MS,
      answerMs: 2_000,
      accepts: atMost(10),
    }));
    assert.ok(slowed !== undefined && unslowed !== undefined);
    const told = JSON.stringify({ slowed, unslowed });
    assert.ok(unslowed.calls > 2_500 && slowed.calls < 700, told);
    assert.ok(slowed.calls < 2 * slowed.answered + 100, `after the first burst less than twice what it takes: ${told}`);
    assert.ok(slowed.answered >= unslowed.answered * 0.98, told);
    assert.ok(slowed.refused < unslowed.refused / 5, told);
  });

  test("is asked once in two seconds while it answers nobody, and answers as many when it does again", async () => {
    const [slowed, unslowed] = await compare(() => ({
      callers: 20,
      lengthMs: LENGTH_MS,
      answerMs: 1_000,
      accepts: (nowMs) => nowMs >= LENGTH_MS / 2,
    }));
    assert.ok(slowed !== undefined && unslowed !== undefined);
    const told = JSON.stringify({ slowed, unslowed });
    assert.ok(unslowed.calls - unslowed.answered > 300 && slowed.calls - slowed.answered < 50, told);
    assert.ok(slowed.answered > unslowed.answered * 0.75, told);
  });

  test("is not slowed down where it limits every third call, whatever the rate: nobody waits for nothing", async () => {
    const [slowed, unslowed] = await compare(() => ({
      callers: 200,
      lengthMs: LENGTH_MS,
      answerMs: 1_000,
      accepts: (_, random) => random() > 1 / 3,
    }));
    assert.deepEqual(slowed, unslowed);
  });
});
