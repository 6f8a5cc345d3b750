import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { MemoryAnswers } from "../../../test/support/memory-answers.ts";
import { createSharingScene } from "../../../test/support/sharing-scene.ts";
import { createVirtualClock } from "../../../test/support/virtual-clock.ts";
import { createAnswerCache } from "./answer-cache.ts";
import { CachedRequests } from "./cached.ts";

function createCached(): CachedRequests {
  const clock = createVirtualClock();
  const answers = new MemoryAnswers(clock);
  const telemetry = { backgroundFailed() {}, warn() {} };
  return new CachedRequests({ clock, answers, telemetry, version: "1", memory: createAnswerCache(clock, answers) });
}

const forEver = (): Promise<void> => new Promise(() => {});

describe("identical requests at the same time", () => {
  test("share a call although an earlier one, whose callers have all left, is still ending", async () => {
    const cached = createCached();
    const [abandoned, leading] = [createSharingScene("req_1", {}), createSharingScene("req_2", {})];
    void cached.serve(abandoned, forEver);
    await nextTurn();
    abandoned.share.leading?.close();
    void cached.serve(leading, forEver);
    await nextTurn();
    const joining = createSharingScene("req_3", {});
    void cached.serve(joining, () => assert.fail("another call is made"));
    await nextTurn();
    assert.equal(joining.share.reuse, "joined");
    cached.forget(abandoned.share);
    const late = createSharingScene("req_4", {});
    void cached.serve(late, () => assert.fail("another call is made"));
    await nextTurn();
    assert.equal(late.share.reuse, "joined", "the end of the earlier one changes nothing");
  });
});
