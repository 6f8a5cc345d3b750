import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { parseJsonDocument } from "../../kernel/json-document.ts";
import { AnswerMemory } from "../../streaming/answer-memory.ts";
import { MemoryAnswers } from "../../../test/support/memory-answers.ts";
import { createVirtualClock, type VirtualClock } from "../../../test/support/virtual-clock.ts";
import type { Pause } from "../course/pause.ts";
import type { CallerDeadline } from "../deadline.ts";
import { KeyClaims } from "./claims.ts";
import { KeyedRequests } from "./keyed.ts";
import type { Scene } from "./scene.ts";
import { Share } from "./share.ts";

const noDeadline: CallerDeadline = {
  totalDueMs: Infinity,
  firstOutputDueMs: Infinity,
  askedMs: null,
  header: null,
};

type AScene = Scene & { readonly exchange: { cancelCause: string | null; readonly paused: Pause | null } };

interface World {
  readonly clock: VirtualClock;
  readonly keyed: KeyedRequests;
  scene(body: string, deadline?: CallerDeadline): AScene;
}

function createWorld(): World {
  const clock = createVirtualClock();
  const telemetry = { backgroundFailed() {}, warn() {} };
  let last = 0;
  const ids = { next: (prefix: string) => `${prefix}_${++last}` };
  const claims = new KeyClaims({ clock, ids, telemetry, answers: new MemoryAnswers(clock) });
  return {
    clock,
    keyed: new KeyedRequests({ clock, claims }),
    scene(body, deadline = noDeadline) {
      const exchange = {
        requestId: ids.next("req"),
        incoming: { method: "POST", path: "/v1/chat/completions" },
        snapshot: { config: { idempotency: { answerBytes: 1_000 }, cache: { answerBytes: 1_000 } } },
        responder: { start() {}, write: () => true, end() {}, destroy() {} },
        cancelCause: null,
        cancel() {},
        resumeCall() {},
        paused: null as Pause | null,
        pause(pause: Pause) {
          this.paused = pause;
          return pause.over;
        },
      };
      return {
        exchange,
        deadline,
        share: new Share(exchange),
        principal: { payer: { tenantId: "ten_1" } },
        view: { document: parseJsonDocument(Buffer.from(body), { depth: 4 }) },
        memory: new AnswerMemory(1_000_000),
      } as unknown as AScene;
    },
  };
}

const makeNothing = async (): Promise<void> => {};

/** A request whose caller has left and whose call's tail is still being read. */
async function abandonedIn({ keyed, scene }: World, body: string): Promise<void> {
  const abandoned = scene(body);
  void keyed.serve(abandoned, "key", () => new Promise<void>(() => {}));
  await nextTurn();
  abandoned.share.leading?.close();
}

describe("a request that meets one with its key which nobody can join any more", () => {
  const deadline = { ...noDeadline, totalDueMs: 95, askedMs: 100, header: "x-headgate-deadline-ms" as const };

  test("waits for its end no longer than its own deadline", async () => {
    const world = createWorld();
    await abandonedIn(world, '{"a":1}');
    const waiting = assert.rejects(world.keyed.serve(world.scene('{"a":1}', deadline), "key", makeNothing), {
      code: "deadline_exceeded",
    });
    world.clock.advance(95);
    await waiting;
  });

  test("waits no longer than its caller", async () => {
    const world = createWorld();
    await abandonedIn(world, '{"a":1}');
    const { exchange, ...scene } = world.scene('{"a":1}');
    const waiting = world.keyed.serve({ ...scene, exchange }, "key", makeNothing);
    exchange.cancelCause = "caller-gone";
    exchange.paused?.cancel();
    await waiting;
  });

  test("is told after half a minute that it still runs", async () => {
    const world = createWorld();
    await abandonedIn(world, '{"a":1}');
    const waiting = assert.rejects(world.keyed.serve(world.scene('{"a":1}'), "key", makeNothing), {
      code: "idempotency_running",
    });
    world.clock.advance(30_000);
    await waiting;
  });
});
