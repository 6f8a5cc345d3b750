import assert from "node:assert/strict";
import { test } from "node:test";
import { createVirtualClock, type VirtualClock } from "../../../test/support/virtual-clock.ts";
import { defaultConfig } from "../../config/defaults.ts";
import { findDialect } from "../../dialects/registry.ts";
import type { RequestView } from "../../dialects/dialect.ts";
import type { Target } from "../../routing/plan.ts";
import type { ExchangeLeg } from "../exchange.ts";
import type { Snapshot } from "../snapshot.ts";
import { startHeartbeat, type HeldLine } from "./caller-line.ts";

interface Scene {
  readonly clock: VirtualClock;
  /** What the caller was sent: heads and comments. */
  readonly sent: string[];
  readonly attempt: { answered: boolean; call: { losses: readonly string[] } };
  readonly line: { -readonly [Name in keyof HeldLine]: HeldLine[Name] };
  unreadBytes: number;
}

const a = { provider: "p", name: "p/a" } as Target;
const rate = { limit: 10n, remaining: 7n, resetMs: 1_500 };
const reservation = { requestRate: rate, tokenRate: null };

function open(heartbeatMs = 1_000, stream = true, headWithinMs = Infinity, targets = [a, a]): Scene {
  const clock = createVirtualClock();
  const sent: string[] = [];
  const attempt = { answered: false, call: { losses: ["seed"] } };
  const scene: Scene = {
    clock,
    sent,
    attempt,
    unreadBytes: 0,
    line: {
      requestId: "req_1",
      startedAtMs: 0,
      view: { stream } as RequestView,
      cancelCause: null,
      dialect: findDialect("openai-chat"),
      snapshot: { config: defaultConfig({ server: { heartbeatMs } }) } as Snapshot,
      attempts: [{ attempt }],
      legs: [{ reservation } as unknown as ExchangeLeg],
      share: null,
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
  startHeartbeat(clock, scene.line, { targets }, headWithinMs);
  return scene;
}

test("no head leaves before a provider has accepted the request, however long that takes", () => {
  const { clock, sent, attempt } = open();
  clock.advance(60_000);
  assert.deepEqual(sent, []);
  attempt.answered = true;
  clock.advance(1_000);
  assert.match(sent[0] ?? "", /^200 x-request-id req_1 .*content-type text\/event-stream/);
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

test("a head that leaves early says how rates stand, and who answers only where nobody else can", () => {
  const rates = "x-ratelimit-limit-requests 10 x-ratelimit-remaining-requests 7 x-ratelimit-reset-requests 1.5s";
  const headWith = (targets: Target[]): string => {
    const { clock, sent, attempt } = open(1_000, true, Infinity, targets);
    attempt.answered = true;
    clock.advance(1_000);
    return sent[0] ?? assert.fail("nothing was sent");
  };
  const one = headWith([a]);
  assert.ok(
    one.includes(`${rates} x-headgate-provider p x-headgate-model p/a x-headgate-dropped seed content-type`),
    one,
  );
  const several = headWith([a, a]);
  assert.ok(several.includes(`${rates} content-type`), several);
});
