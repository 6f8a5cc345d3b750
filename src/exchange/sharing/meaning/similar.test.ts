import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createSharingScene, noDeadline } from "../../../../test/support/sharing-scene.ts";
import { createVirtualClock } from "../../../../test/support/virtual-clock.ts";
import { defaultConfig, defaultModel } from "../../../config/defaults.ts";
import { HeadgateError } from "../../../kernel/errors.ts";
import { zeroUsd } from "../../../kernel/money.ts";
import type { CacheIdentity } from "../identity.ts";
import type { Scene } from "../scene.ts";
import { SimilarAnswers, type SimilarDeps } from "./similar.ts";

const policy = defaultModel({ targets: [], cache: { mode: "semantic" } }).cache;
const config = defaultConfig({ cache: { embeddings: "p/vectors" } });

/** How long requests that have so much time left wait to be compared, one after the other; `null`: not at all. */
async function waitsOf(
  all: readonly Partial<Pick<Scene, "dueMs" | "deadline">>[],
): Promise<readonly (number | null)[]> {
  const clock = createVirtualClock();
  const nowMs = clock.monotonicMs();
  const similar = new SimilarAnswers({ clock, telemetry: { warn() {} } } as unknown as SimilarDeps);
  const waits: (number | null)[] = [];
  for (const { dueMs = Infinity, deadline = noDeadline } of all) {
    let waitedMs: number | null = null;
    const scene = createSharingScene("req_1", {});
    Object.assign(scene.exchange, { snapshot: { config } });
    const asked: Scene = {
      ...scene,
      dueMs: nowMs + dueMs,
      deadline: { ...deadline, firstOutputDueMs: nowMs + deadline.firstOutputDueMs },
      embed: async ({ waitMs }) => {
        waitedMs = waitMs;
        const failure = new HeadgateError("deadline_exceeded", "It was over.");
        return { vector: null, failure, costNanoUsd: zeroUsd };
      },
    };
    assert.equal(await similar.meaningOf(asked, {} as CacheIdentity, policy), null);
    waits.push(waitedMs);
  }
  return waits;
}

describe("a request waits to be compared", () => {
  test("two seconds, or half of what is left of its time, so that its answer can be made in the rest", async () => {
    assert.deepEqual(await waitsOf([{ dueMs: 1_000 }, { dueMs: 3_999 }, { dueMs: 4_000 }]), [500, 1_999.5, 2_000]);
  });

  test("for as long as a stream has to begin", async () => {
    const deadline = { ...noDeadline, firstOutputDueMs: 600 };
    assert.deepEqual(await waitsOf([{ dueMs: 60_000, deadline }]), [300]);
  });

  test("not at all where no time is left, or where others have waited in vain for as long as anybody does", async () => {
    assert.deepEqual(await waitsOf([{ dueMs: 1 }, { dueMs: -5 }, {}, {}]), [null, null, 2_000, null]);
  });
});
