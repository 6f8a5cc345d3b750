import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../test/support/properties.ts";
import { findDialect } from "../dialects/registry.ts";
import { emptyUsage } from "../kernel/usage.ts";
import { AnswerMemory } from "./answer-memory.ts";
import { StreamRelay, type RelayOptions, type RelayOwner } from "./relay.ts";

const chunk = (delta: object, finish: string | null = null, index = 0): string =>
  `data: ${JSON.stringify({ id: "c1", object: "chat.completion.chunk", model: "m", choices: [{ index, delta, finish_reason: finish }] })}\n\n`;
const usage = `data: ${JSON.stringify({ id: "c1", object: "chat.completion.chunk", model: "m", choices: [], usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 } })}\n\n`;
const done = "data: [DONE]\n\n";
const role = chunk({ role: "assistant", content: "" });
const body =
  role + chunk({ content: "Grüße, " }) + ": keep-alive\n\n" + chunk({ content: "Welt 🌍" }) + chunk({}, "stop");
const whole = body + usage + done;

interface Probe extends RelayOwner {
  readonly relay: StreamRelay;
  readonly calls: string[];
  text(): string;
}

function createProbe(options: Partial<RelayOptions> = {}, choices = 1): Probe {
  const dialect = findDialect("openai-chat");
  const reader = dialect.outbound?.createStreamReader({}, choices);
  assert.ok(reader);
  const written: Uint8Array[] = [];
  const calls: string[] = [];
  const owner: RelayOwner = {
    relayCommitted: () => void calls.push("committed"),
    relayWrite(bytes) {
      calls.push("write");
      written.push(Buffer.from(bytes));
    },
    relayProgress: () => {},
    relayEnding: () => void calls.push("ending"),
    countUsage: emptyUsage,
    relayDone: () => void calls.push("done"),
  };
  const relay = new StreamRelay(
    {
      reader,
      translation: null,
      tap: null,
      streamEnd: dialect.inbound?.streamEnd ?? new Uint8Array(0),
      withholdUsage: false,
      eventBytesMax: 100_000,
      invalidEvents: "break",
      commit: { at: "first-output", heldBytesMax: 10_000 },
      ...options,
    },
    owner,
    new AnswerMemory(Infinity),
  );
  relay.open();
  return { ...owner, relay, calls, text: () => Buffer.concat(written).toString("utf8") };
}

test("same dialect: the caller gets the provider's bytes, whatever the packets, and the marker stays in the tail", () => {
  const bytes = Buffer.from(whole);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: bytes.length - 1 }), { maxLength: 12 }), (cuts) => {
      const probe = createProbe();
      let from = 0;
      for (const to of [...cuts.sort((a, b) => a - b), bytes.length]) {
        probe.relay.push(bytes.subarray(from, to));
        from = to;
      }
      assert.equal(probe.relay.state, "ended");
      assert.equal(probe.text(), body + usage);
      assert.equal(Buffer.from(probe.relay.tail).toString(), done);
      assert.equal(probe.calls.filter((call) => call === "done").length, 1);
    }),
  );
});

test("cut at any byte before the finish reason, the stream is broken and has no terminal marker", () => {
  const bytes = Buffer.from(whole);
  const finishEnds = Buffer.byteLength(body) - 1;
  for (let cut = 0; cut < finishEnds - 1; cut++) {
    const probe = createProbe();
    probe.relay.push(bytes.subarray(0, cut));
    probe.relay.eof();
    assert.equal(probe.relay.state, "broken", `cut at ${cut}`);
    assert.equal(probe.relay.tail.byteLength, 0);
    assert.ok(!probe.text().includes("[DONE]"));
    assert.ok(["stream_truncated", "upstream_malformed"].includes(probe.relay.failure?.code ?? ""), `cut at ${cut}`);
  }
});

test("nothing is handed on before the first output, and then the head comes first", () => {
  const probe = createProbe();
  probe.relay.push(Buffer.from(role));
  assert.deepEqual(probe.calls, []);
  probe.relay.push(Buffer.from(chunk({ content: "x" })));
  assert.deepEqual(probe.calls, ["committed", "write", "write"]);
  assert.equal(probe.text(), role + chunk({ content: "x" }));
});

test("an end of file after the finish reason completes the stream with a marker of our own", () => {
  const probe = createProbe();
  probe.relay.push(Buffer.from(body));
  probe.relay.eof();
  assert.equal(probe.relay.state, "ended");
  assert.equal(Buffer.from(probe.relay.tail).toString(), done);
});

test("a whole answer is waited for no longer: a marker that does not come with it is supplied at once", () => {
  const probe = createProbe({ withholdUsage: true });
  probe.relay.push(Buffer.from(body));
  assert.equal(probe.relay.state, "ending");
  probe.relay.push(Buffer.from(usage));
  assert.equal(probe.relay.state, "ended");
  assert.equal(probe.text(), body);
  assert.equal(Buffer.from(probe.relay.tail).toString(), done);
  probe.relay.push(Buffer.from("data: [DONE]\r\n\r\n"));
  assert.deepEqual([probe.calls.at(-1), probe.calls.filter((call) => call === "done").length], ["done", 1]);
});

test("a marker in the packet of the last event is passed on as it is, and nothing else that follows there", () => {
  const marker = "data: [DONE]\r\n\r\n";
  for (const between of ["", ": ping\n\n", "data: {oops\n\n", chunk({ content: "more" }), `data: {"error":{}}\n\n`]) {
    const probe = createProbe();
    probe.relay.push(Buffer.from(body + usage + between + marker));
    assert.equal(probe.relay.state, "ended", between);
    assert.equal(probe.text(), body + usage);
    assert.equal(Buffer.from(probe.relay.tail).toString(), marker);
    assert.equal(probe.relay.invalidEvents, 0);
  }
});

test("a last event without its blank line is completed before the marker", () => {
  const probe = createProbe();
  probe.relay.push(Buffer.from(body.trimEnd()));
  probe.relay.eof();
  assert.equal(probe.relay.state, "ended");
  assert.equal(probe.text(), `${body.trimEnd()}\n\n`);
});

test("a last marker without its blank line gets one", () => {
  const probe = createProbe();
  probe.relay.push(Buffer.from(whole.trimEnd()));
  probe.relay.eof();
  assert.equal(probe.relay.state, "ended");
  assert.equal(Buffer.from(probe.relay.tail).toString(), done);
});

test("choices that come one after the other are relayed to the last of them", () => {
  const first = role + chunk({ content: "a" }) + chunk({}, "stop");
  const second = chunk({ content: "b" }, null, 1);
  const probe = createProbe({}, 2);
  probe.relay.push(Buffer.from(first + second));
  assert.ok(!probe.calls.includes("ending"));
  probe.relay.push(Buffer.from(chunk({}, "length", 1) + done));
  assert.equal(probe.relay.state, "ended");
  for (const cut of [first, first + second]) {
    const broken = createProbe({}, 2);
    broken.relay.push(Buffer.from(cut));
    broken.relay.eof();
    assert.equal(broken.relay.state, "broken");
    assert.equal(broken.relay.failure?.code, "stream_truncated");
  }
});

test("the provider's marker completes a stream that has fewer choices than were asked for", () => {
  const probe = createProbe({}, 2);
  probe.relay.push(Buffer.from(role + chunk({}, "stop") + done));
  assert.equal(probe.relay.state, "ended");
  assert.deepEqual(probe.calls, ["committed", "ending", "write", "done"]);
});

test("a choice that begins after the others were finished must finish too", () => {
  const late = role + chunk({ content: "a" }, "stop") + chunk({ content: "b" }, null, 1);
  for (const end of ["eof", "reset", "done"] as const) {
    const probe = createProbe();
    probe.relay.push(Buffer.from(end === "done" ? late + done : late));
    if (end === "eof") probe.relay.eof();
    if (end === "reset") probe.relay.reset(new Error("reset"));
    assert.equal(probe.relay.state, "broken", end);
    assert.equal(probe.relay.tail.byteLength, 0);
  }
});

test("what is held back does not change when the transport uses its memory again", () => {
  const probe = createProbe();
  const packet = Buffer.from(role);
  probe.relay.push(packet);
  packet.fill("x");
  probe.relay.push(Buffer.from(chunk({ content: "a" })));
  assert.equal(probe.text(), role + chunk({ content: "a" }));
  const last = Buffer.from(chunk({}, "stop") + done);
  probe.relay.push(last);
  last.fill("x");
  assert.equal(Buffer.from(probe.relay.tail).toString(), done);
});

test("a marker without a finish reason is a truncated stream, not a complete one", () => {
  const probe = createProbe();
  probe.relay.push(Buffer.from(role + chunk({ content: "half" }) + done));
  assert.equal(probe.relay.state, "broken");
  assert.equal(probe.relay.failure?.code, "stream_truncated");
});

test("usage that only the gateway asked for is read but not handed on", () => {
  const probe = createProbe({ withholdUsage: true });
  probe.relay.push(Buffer.from(whole));
  assert.equal(probe.text(), body);
  assert.equal(probe.relay.reading.usage?.outputTokens, 2);
});

test("an event that cannot be read breaks the stream, since the answer would have a hole", () => {
  const probe = createProbe();
  probe.relay.push(Buffer.from(role + chunk({ content: "a" }) + "data: {oops\n\n" + chunk({ content: "b" })));
  assert.equal(probe.relay.state, "broken");
  assert.equal(probe.relay.invalidEvents, 1);
  assert.equal(probe.text(), role + chunk({ content: "a" }));
});

test("an event that cannot be read is left out and counted where the model says so", () => {
  const probe = createProbe({ invalidEvents: "skip" });
  probe.relay.push(Buffer.from(role + chunk({ content: "a" }) + "data: {oops\n\n" + chunk({ content: "b" })));
  assert.deepEqual([probe.relay.state, probe.relay.failure, probe.relay.invalidEvents], ["open", null, 1]);
  probe.relay.push(Buffer.from(chunk({}, "stop") + usage + done));
  assert.equal(probe.relay.state, "ended");
  assert.equal(probe.text(), role + chunk({ content: "a" }) + chunk({ content: "b" }) + chunk({}, "stop") + usage);
});

test("an event that cannot be read after the finish reason is left out, counted, and no failure", () => {
  const probe = createProbe();
  probe.relay.push(Buffer.from(body + "data: {oops\n\n"));
  assert.deepEqual([probe.relay.state, probe.relay.failure, probe.relay.invalidEvents], ["ending", null, 1]);
  probe.relay.push(Buffer.from(done));
  assert.equal(probe.relay.state, "ended");
  assert.equal(probe.text(), body);
});

test("of events that cannot be read there is no answer, skipped or not", () => {
  const probe = createProbe({ invalidEvents: "skip" });
  probe.relay.push(Buffer.from("data: {oops\n\n".repeat(3)));
  probe.relay.eof();
  assert.deepEqual([probe.relay.state, probe.relay.failure?.code], ["broken", "stream_truncated"]);
});

test("an error event is the provider's error, whatever the status was", () => {
  const probe = createProbe();
  probe.relay.push(Buffer.from(`${role}data: {"error":{"message":"overloaded","type":"server_error"}}\n\n`));
  assert.equal(probe.relay.state, "broken");
  assert.equal(probe.relay.failure?.fault, "upstream");
  assert.deepEqual(probe.calls, ["done"]);
});

test("muted, it goes on reading for the usage and hands nothing on", () => {
  const probe = createProbe();
  probe.relay.push(Buffer.from(role + chunk({ content: "a" })));
  const before = probe.text();
  probe.relay.mute();
  probe.relay.push(Buffer.from(chunk({ content: "b" }) + chunk({}, "stop") + usage + done));
  assert.equal(probe.text(), before);
  assert.equal(probe.relay.state, "ended");
  assert.equal(probe.relay.reading.usage?.outputTokens, 2);
});

test("what is held back before the first output is bounded", () => {
  const probe = createProbe({ commit: { at: "first-output", heldBytesMax: 500 } });
  for (let index = 0; index < 20; index++) probe.relay.push(Buffer.from(role));
  assert.equal(probe.relay.state, "broken");
  assert.deepEqual(probe.calls, ["done"]);
});
