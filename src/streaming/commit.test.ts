import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultModel } from "../config/defaults.ts";
import { findDialect } from "../dialects/registry.ts";
import { emptyUsage } from "../kernel/usage.ts";
import { AnswerMemory } from "./answer-memory.ts";
import { planCommit, type CommitPolicy } from "./commit.ts";
import { StreamRelay } from "./relay.ts";

const chunk = (delta: object, finish: string | null = null): string =>
  `data: ${JSON.stringify({ id: "c1", object: "chat.completion.chunk", model: "m", choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
const role = chunk({ role: "assistant", content: "" });
const word = chunk({ content: "word " });
const stop = chunk({}, "stop");
const done = "data: [DONE]\n\n";

function relayWith(
  commit: CommitPolicy,
  memory = new AnswerMemory(Infinity),
): { relay: StreamRelay; calls: string[]; text: () => string } {
  const dialect = findDialect("openai-chat");
  assert.ok(dialect.outbound && dialect.inbound);
  const calls: string[] = [];
  let text = "";
  const relay = new StreamRelay(
    {
      reader: dialect.outbound.createStreamReader({}, 1),
      translation: null,
      tap: null,
      streamEnd: dialect.inbound.streamEnd,
      withholdUsage: false,
      eventBytesMax: 100_000,
      invalidEvents: "break",
      commit,
    },
    {
      relayCommitted: () => void calls.push("committed"),
      relayWrite: (bytes) => void (text += Buffer.from(bytes).toString()),
      relayProgress: () => {},
      relayEnding: () => {},
      countUsage: emptyUsage,
      relayDone: () => void calls.push("done"),
    },
    memory,
  );
  relay.open();
  return { relay, calls, text: () => text };
}

test("held until complete, nothing leaves before the provider has finished, and then all of it", () => {
  const { relay, calls, text } = relayWith({ at: "complete", heldBytesMax: 100_000 });
  relay.push(Buffer.from(role + word.repeat(50) + stop));
  assert.deepEqual(calls, []);
  assert.equal(relay.committed, false);
  relay.push(Buffer.from(done));
  assert.deepEqual(calls, ["committed", "done"]);
  assert.equal(text(), role + word.repeat(50) + stop);
  assert.equal(Buffer.from(relay.tail).toString(), done);
});

test("held until complete, a stream that breaks anywhere has handed on nothing", () => {
  for (const end of ["eof", "reset", "error"] as const) {
    const { relay, calls, text } = relayWith({ at: "complete", heldBytesMax: 100_000 });
    relay.push(Buffer.from(role + word.repeat(50)));
    if (end === "eof") relay.eof();
    else if (end === "reset") relay.reset(new Error("reset"));
    else relay.push(Buffer.from('data: {"error":{"message":"overloaded"}}\n\n'));
    assert.equal(relay.state, "broken", end);
    assert.equal(relay.committed, false);
    assert.deepEqual(calls, ["done"]);
    assert.equal(text(), "");
  }
});

test("an answer too large to be held until it is complete breaks as such", () => {
  const { relay, calls } = relayWith({ at: "complete", heldBytesMax: 5_000 });
  for (let index = 0; index < 100; index++) relay.push(Buffer.from(word));
  assert.equal(relay.failure?.code, "upstream_too_large");
  assert.deepEqual(calls, ["done"]);
});

test("a window holds output back until its owner ends it; later bytes leave as they come", () => {
  const { relay, calls, text } = relayWith({ at: "window", heldBytesMax: 100_000 });
  relay.push(Buffer.from(role + word));
  relay.push(Buffer.from(word));
  assert.equal(text(), "");
  relay.commit();
  relay.commit();
  assert.equal(text(), role + word + word);
  relay.push(Buffer.from(word));
  assert.equal(text(), role + word.repeat(3));
  assert.deepEqual(calls, ["committed"]);
});

test("a window ends with the finish reason, since no output follows", () => {
  const { relay, calls } = relayWith({ at: "window", heldBytesMax: 100_000 });
  relay.push(Buffer.from(role + word + stop));
  assert.deepEqual(calls, ["committed"]);
});

test("more than a window may hold ends it, and nothing is lost or out of order", () => {
  const { relay, calls, text } = relayWith({ at: "window", heldBytesMax: 1_000 });
  const words = Array.from({ length: 30 }, (_, index) => chunk({ content: `${index} ` }));
  for (const each of words) relay.push(Buffer.from(each));
  assert.deepEqual(calls, ["committed"]);
  assert.equal(text(), words.join(""));
});

test("a stream whose caller has left is not committed, whatever its owner says", () => {
  const { relay, calls, text } = relayWith({ at: "window", heldBytesMax: 1_000 });
  relay.push(Buffer.from(role + word));
  relay.mute();
  relay.commit();
  relay.push(Buffer.from(stop + done));
  assert.deepEqual(calls, ["done"]);
  assert.equal(text(), "");
});

test("a whole answer is held in as many bytes as any whole answer, a window in what its tokens may take", () => {
  const { commit } = defaultModel({ commit: { windowTokens: 1_000 } });
  assert.equal(planCommit({ ...commit, at: "complete" }, 7).heldBytesMax, 7);
  const first = planCommit({ ...commit, at: "first-output" }, 7).heldBytesMax;
  assert.equal(planCommit({ ...commit, at: "window" }, 7).heldBytesMax - first, 1_000 * 2048);
});

test("without memory a window ends early, and what is held until complete is given up", () => {
  const memory = new AnswerMemory(20_000);
  memory.grow(0, 100_000);
  const windowed = relayWith({ at: "window", heldBytesMax: 1_000_000 }, memory);
  windowed.relay.push(Buffer.from(role + word));
  for (let sent = 0; sent < 200; sent++) windowed.relay.push(Buffer.from(word));
  assert.deepEqual([windowed.calls, windowed.text()], [["committed"], role + word.repeat(201)]);
  const held = relayWith({ at: "complete", heldBytesMax: 1_000_000 }, memory);
  for (let sent = 0; sent < 200; sent++) held.relay.push(Buffer.from(word));
  assert.deepEqual([held.relay.state, held.relay.failure?.code, held.text()], ["broken", "overloaded", ""]);
  memory.giveBack(100_000, 100_000);
  assert.equal(memory.bytes, 0);
});
