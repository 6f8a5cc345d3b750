import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualClock, type VirtualClock } from "../../../test/support/virtual-clock.ts";
import { defaultConfig } from "../../config/defaults.ts";
import { findDialect } from "../../dialects/registry.ts";
import type { RequestView } from "../../dialects/dialect.ts";
import type { Snapshot } from "../snapshot.ts";
import { startHeartbeat, type HeldLine } from "./caller-line.ts";

interface Scene {
  readonly clock: VirtualClock;
  /** What the caller was sent: heads and comments. */
  readonly sent: string[];
  readonly attempt: { answered: boolean };
  readonly line: { -readonly [Name in keyof HeldLine]: HeldLine[Name] };
  unreadBytes: number;
}

function open(heartbeatMs = 1_000, stream = true, headWithinMs = Infinity): Scene {
  const clock = createVirtualClock();
  const sent: string[] = [];
  const attempt = { answered: false };
  const scene: Scene = {
    clock,
    sent,
    attempt,
    unreadBytes: 0,
    line: {
      requestId: "req_1",
      view: { stream } as RequestView,
      cancelCause: null,
      dialect: findDialect("openai-chat"),
      snapshot: { config: defaultConfig({ server: { heartbeatMs } }) } as Snapshot,
      attempts: [{ attempt }],
      responder: {
        get headSent() {
          return sent.length > 0;
        },
        get bytesOut() {
          return sent.length;
        },
        get unreadBytes() {
          return scene.unreadBytes;
        },
        send: () => assert.fail(),
        start: (status, headers) => void sent.push(`${status} ${headers.join(" ")}`),
        write: (bytes) => sent.push(Buffer.from(bytes).toString()) > 0,
        end: () => assert.fail(),
        destroy: () => assert.fail(),
      },
    },
  };
  startHeartbeat(clock, scene.line, headWithinMs);
  return scene;
}

test("no head leaves before a provider has accepted the request, however long that takes", () => {
  const { clock, sent, attempt } = open();
  clock.advance(60_000);
  assert.deepEqual(sent, []);
  attempt.answered = true;
  clock.advance(1_000);
  assert.match(sent[0] ?? "", /^200 x-request-id req_1 content-type text\/event-stream/);
  assert.equal(sent[1], ": keep-alive\n\n");
});

test("a caller who does not read what is there, or has left, is sent no comments", () => {
  const scene = open();
  scene.attempt.answered = true;
  scene.unreadBytes = 10;
  scene.clock.advance(10_000);
  assert.deepEqual(scene.sent, []);
  scene.unreadBytes = 0;
  scene.line.cancelCause = "caller-gone";
  scene.clock.advance(10_000);
  assert.deepEqual(scene.sent, []);
});

test("whole answers have no comments, nor streams where they are switched off", () => {
  assert.equal(open(1_000, false).clock.pendingCount, 0);
  assert.equal(open(0).clock.pendingCount, 0);
});

test("a caller who gives up on a head that does not come gets it in time, even where comments are switched off", () => {
  const { clock, sent, attempt } = open(0, true, 2_000);
  attempt.answered = true;
  clock.advance(1_000);
  assert.match(sent[0] ?? "", /^200 /);
});
