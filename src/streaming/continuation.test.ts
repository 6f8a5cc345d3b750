import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fc } from "../../test/support/properties.ts";
import { spoken, writeStream, type ProviderDialect } from "../../test/support/provider-streams.ts";
import type { CanonicalEvent, OpaqueState } from "../dialects/canonical.ts";
import type { RequestView, StreamDecoder } from "../dialects/dialect.ts";
import { findDialect } from "../dialects/registry.ts";
import { emptyUsage } from "../kernel/usage.ts";
import { AnswerMemory } from "./answer-memory.ts";
import { ContinuingDecoder, prefillOf } from "./continuation.ts";
import { StreamRelay } from "./relay.ts";
import { readAlong, recordInto, Transcript } from "./transcript.ts";

const CHARS_MAX = 100_000;
const chat = findDialect("openai-chat");

interface Played {
  readonly relay: StreamRelay;
  readonly written: () => string;
}

/** Plays events of a provider to a caller: the first attempt, or one that continues it. */
function play(
  dialect: ProviderDialect,
  raw: string,
  wrap: (decoder: StreamDecoder) => StreamDecoder,
  from: Transcript | null,
  idStands = false,
): Played {
  const outbound = findDialect(dialect).outbound;
  assert.ok(outbound?.translation && chat.inbound?.translation);
  const decoder = wrap(outbound.translation.createStreamDecoder({}));
  const encoder = chat.inbound.translation.createStreamEncoder({ wantsStreamUsage: false } as RequestView, 0, idStands);
  const isPassed = from === null && dialect === "openai-chat";
  let written = "";
  const relay = new StreamRelay(
    {
      reader: outbound.createStreamReader({}, 1),
      translation: isPassed ? null : { decoder, encoder: from?.replayInto(encoder) ?? encoder },
      tap: isPassed ? decoder : null,
      streamEnd: chat.inbound.streamEnd,
      withholdUsage: true,
      eventBytesMax: 1_000_000,
      invalidEvents: "break",
      commit: { at: "first-output", heldBytesMax: 1_000_000 },
    },
    {
      relayCommitted() {},
      relayWrite: (bytes) => void (written += Buffer.from(bytes).toString("latin1")),
      relayProgress() {},
      relayEnding() {},
      countUsage: emptyUsage,
      relayDone() {},
    },
    new AnswerMemory(Infinity),
  );
  relay.open();
  relay.push(Buffer.from(raw));
  relay.eof();
  return { relay, written: () => Buffer.from(written, "latin1").toString() };
}

interface Chunk {
  readonly id: string;
  readonly model: string;
  readonly choices: readonly {
    readonly delta: {
      readonly role?: string;
      readonly content?: string;
      readonly tool_calls?: readonly { readonly id?: string; readonly function: { readonly arguments?: string } }[];
    };
  }[];
}

/** What a caller makes of the whole. */
function understand(stream: string) {
  const blocks = stream.split(/\r?\n\r?\n/);
  const chunks = blocks
    .filter((block) => block.startsWith("data: {"))
    .map((block) => JSON.parse(block.slice(6)) as Chunk);
  const deltas = chunks.map(({ choices }) => choices[0]?.delta ?? {});
  const calls = deltas.flatMap((delta) => delta.tool_calls ?? []);
  return {
    text: deltas.map((delta) => delta.content ?? "").join(""),
    args: calls.map((call) => call.function.arguments ?? "").join(""),
    callIds: calls.filter((call) => call.id !== undefined).length,
    roles: deltas.filter((delta) => delta.role !== undefined).length,
    ids: new Set(chunks.map(({ id }) => id)).size,
    markers: blocks.filter((block) => block === "data: [DONE]").length,
  };
}

/** The first attempt up to a number of its events, with what it showed; `null`: it showed nothing. */
function breakOff(dialect: ProviderDialect, raws: readonly string[]): { shown: string; transcript: Transcript } | null {
  const transcript = new Transcript(CHARS_MAX, new AnswerMemory(Infinity));
  const wrap = (decoder: StreamDecoder) =>
    dialect === "openai-chat" ? readAlong(transcript, decoder) : recordInto(transcript, decoder);
  const { relay, written } = play(dialect, raws.join(""), wrap, null);
  assert.equal(relay.state, "broken");
  return relay.committed ? { shown: written(), transcript } : null;
}

const answers = fc.record({
  dialect: fc.constantFrom<ProviderDialect>("openai-chat", "anthropic-messages"),
  text: fc.array(spoken, { minLength: 1, maxLength: 8 }),
  args: fc.array(spoken, { maxLength: 4 }),
  brokenAt: fc.double({ min: 0, max: 0.99, noNaN: true }),
});
const plainly = { usage: false, left: null, newline: "\n" } as const;

describe("an attempt that begins anew", () => {
  test("continues whatever it repeats, in whatever pieces and whatever dialect, to exactly its own answer", () => {
    const again = fc.constantFrom<ProviderDialect>("openai-chat", "anthropic-messages");
    fc.assert(
      fc.property(answers, again, fc.boolean(), ({ dialect, text, args, brokenAt }, other, inOnePiece) => {
        const { events } = writeStream({ dialect, said: text, args, ...plainly });
        const beforeFinish = events.slice(
          0,
          events.findIndex(({ says }) => says === "finish"),
        );
        const raws = beforeFinish.map(({ raw }) => raw);
        const broken = breakOff(dialect, raws.slice(0, Math.floor(brokenAt * (raws.length + 1))));
        fc.pre(broken !== null);
        assert.equal(broken.transcript.isContinuable, true);
        const said = inOnePiece ? [text.join("")] : text;
        const whole = writeStream({ dialect: other, said, args, ...plainly }).events;
        const wrap = (decoder: StreamDecoder) => new ContinuingDecoder(decoder, broken.transcript, null);
        const raw = whole.map((event) => event.raw).join("");
        const { relay, written } = play(other, raw, wrap, broken.transcript, dialect === "openai-chat");
        assert.equal(relay.state, "ended");
        const caller = understand(broken.shown + written() + Buffer.from(relay.tail).toString());
        assert.deepEqual(caller, {
          text: text.join(""),
          args: args.join(""),
          callIds: args.length > 0 ? 1 : 0,
          roles: 1,
          ids: 1,
          markers: 1,
        });
      }),
      { numRuns: 600 },
    );
  });

  test("hands on nothing when it says something else than what was shown", () => {
    fc.assert(
      fc.property(answers, fc.nat(), ({ dialect, text, args }, at) => {
        const { events } = writeStream({ dialect, said: text, args, ...plainly });
        const beforeFinish = events.slice(
          0,
          events.findIndex(({ says }) => says === "finish"),
        );
        const broken = breakOff(
          dialect,
          beforeFinish.map(({ raw }) => raw),
        );
        fc.pre(broken !== null);
        const changed = text.with(at % text.length, "something else, for sure");
        const other = writeStream({ dialect, said: changed, args, ...plainly }).events;
        const wrap = (decoder: StreamDecoder) => new ContinuingDecoder(decoder, broken.transcript, null);
        const { relay, written } = play(dialect, other.map(({ raw }) => raw).join(""), wrap, broken.transcript);
        assert.equal(relay.failure?.code, "stream_differs");
        assert.equal(relay.committed, false);
        assert.equal(written(), "");
      }),
      { numRuns: 300 },
    );
  });

  test("contradicts what was shown when it finishes before it has repeated it", () => {
    const broken = breakOff("openai-chat", rawsOf("openai-chat", ["One ", "two ", "three"]));
    assert.ok(broken);
    const short = writeStream({ dialect: "openai-chat", said: ["One ", "two "], args: [], ...plainly }).events;
    const wrap = (decoder: StreamDecoder) => new ContinuingDecoder(decoder, broken.transcript, null);
    const { relay, written } = play("openai-chat", short.map(({ raw }) => raw).join(""), wrap, broken.transcript);
    assert.equal(relay.failure?.code, "stream_differs");
    assert.equal(written(), "");
  });
});

function rawsOf(dialect: ProviderDialect, said: readonly string[]): string[] {
  const { events } = writeStream({ dialect, said, args: [], ...plainly });
  return events.filter(({ says }) => says === "nothing" || says === "output").map(({ raw }) => raw);
}

describe("an attempt with a prefill", () => {
  /** Begins as if the text before had been its own. */
  function goOn(shown: readonly string[], rest: readonly string[]): { text: string; code: string | null } {
    const broken = breakOff("openai-chat", rawsOf("openai-chat", shown));
    assert.ok(broken);
    const prefill = prefillOf(broken.transcript);
    assert.equal(prefill, shown.join("").trimEnd());
    const { events } = writeStream({ dialect: "anthropic-messages", said: rest, args: [], ...plainly });
    const wrap = (decoder: StreamDecoder) => new ContinuingDecoder(decoder, broken.transcript, prefill);
    const { relay, written } = play(
      "anthropic-messages",
      events.map(({ raw }) => raw).join(""),
      wrap,
      broken.transcript,
    );
    return { text: understand(broken.shown + written()).text, code: relay.failure?.code ?? null };
  }

  test("goes on where the shown text ends", () => {
    assert.deepEqual(goOn(["Once ", "upon"], [" a", " time"]), { text: "Once upon a time", code: null });
  });

  test("repeats white space that was shown and that it was not given", () => {
    assert.deepEqual(goOn(["Once ", "upon "], [" a", " time"]), { text: "Once upon a time", code: null });
    assert.deepEqual(goOn(["Once ", "upon "], ["a", " time"]), { text: "Once upon ", code: "stream_differs" });
  });

  test("may have nothing to add", () => {
    assert.deepEqual(goOn(["Once."], []), { text: "Once.", code: null });
  });
});

describe("what was shown", () => {
  const signed: OpaqueState = { origin: "anthropic-messages", kind: "signature", value: "sig" };
  const thought: readonly CanonicalEvent[] = [
    { type: "start", id: "c1", model: "m", createdMs: null },
    { type: "item-start", index: 0, item: { kind: "reasoning" } },
    { type: "reasoning-delta", index: 0, text: "Hm." },
    { type: "reasoning-opaque", index: 0, opaque: signed },
    { type: "item-end", index: 0 },
    { type: "item-start", index: 1, item: { kind: "message" } },
    { type: "text-delta", index: 1, text: "Yes" },
  ];
  const record = (events: readonly CanonicalEvent[], charsMax = CHARS_MAX): Transcript => {
    const transcript = new Transcript(charsMax, new AnswerMemory(Infinity));
    for (const event of events) transcript.record(event);
    return transcript;
  };
  const follow = (transcript: Transcript, events: readonly CanonicalEvent[]): readonly CanonicalEvent[] =>
    new ContinuingDecoder({ decode: () => events }, transcript, null).decode(null);

  test("includes reasoning and its state, which must be repeated, too", () => {
    const more: CanonicalEvent = { type: "text-delta", index: 1, text: "Yes, indeed" };
    const repeated = thought.with(-1, more);
    assert.deepEqual(follow(record(thought), repeated), [{ ...more, text: ", indeed" }]);
    const otherwise: OpaqueState = { ...signed, value: "other" };
    const unlike = repeated.with(3, { type: "reasoning-opaque", index: 0, opaque: otherwise });
    assert.throws(() => follow(record(thought), unlike), { code: "stream_differs" });
  });

  test("is contradicted by another kind of item, another tool, more of what had ended, and an end before its time", () => {
    const start: CanonicalEvent = { type: "start", id: "c1", model: "m", createdMs: null };
    const message: CanonicalEvent = { type: "item-start", index: 0, item: { kind: "message" } };
    const text = (said: string): CanonicalEvent => ({ type: "text-delta", index: 0, text: said });
    const call = (name: string): CanonicalEvent => {
      const item = { kind: "tool-call", callId: `id of ${name}`, name } as const;
      return { type: "item-start", index: 0, item };
    };
    const end: CanonicalEvent = { type: "item-end", index: 0 };
    const finish: CanonicalEvent = { type: "finish", finish: { reason: "stop", native: "stop", stopSequence: null } };
    const contradictions: readonly (readonly [shown: CanonicalEvent[], said: CanonicalEvent[]])[] = [
      [[message], [call("look"), end, finish]],
      [[call("look")], [call("listen"), end, finish]],
      [
        [message, text("Yes"), end],
        [message, text("Yes, but"), end, finish],
      ],
      [
        [message, text("Yes")],
        [message, text("Ye"), end, finish],
      ],
      [
        [message, text("Yes"), end],
        [message, text("Ye"), end, finish],
      ],
      [[message, text("Yes")], [finish]],
    ];
    for (const [shown, said] of contradictions) {
      assert.throws(() => follow(record([start, ...shown]), [start, ...said]), { code: "stream_differs" });
      assert.doesNotThrow(() => follow(record([start, ...shown]), [start, ...shown]));
    }
    const own = record([start, call("look")]);
    assert.deepEqual(follow(own, [start, { ...call("look") }, end, finish]), [end, finish]);
  });

  test("is closed before the finish by whoever was given it as its beginning and adds nothing", () => {
    const shown = record([...thought.slice(0, 1), { type: "item-start", index: 0, item: { kind: "message" } }]);
    shown.record({ type: "text-delta", index: 0, text: "Yes" });
    const finish: CanonicalEvent = { type: "finish", finish: { reason: "stop", native: "stop", stopSequence: null } };
    const decoder = new ContinuingDecoder({ decode: () => [finish] }, shown, prefillOf(shown));
    assert.deepEqual(decoder.decode(null), [{ type: "item-end", index: 0 }, finish]);
  });

  test("is not a prefill unless it is the text of one message", () => {
    assert.equal(prefillOf(record(thought)), null);
    assert.equal(prefillOf(record([])), null);
  });

  test("has nothing to go on from once it is finished, too long, or not understood", () => {
    assert.equal(record(thought).isContinuable, true);
    const finish = { reason: "stop", native: "stop", stopSequence: null } as const;
    assert.equal(record([...thought, { type: "finish", finish }]).isContinuable, false);
    assert.equal(record(thought, 5).isContinuable, false);
    assert.equal(record([]).isContinuable, false);
    const unread = record(thought);
    const failing = { decode: () => assert.fail("Not understood.") };
    assert.deepEqual(readAlong(unread, failing).decode(null), []);
    assert.equal(unread.isContinuable, false);
  });

  test("grows with what a continuation adds, and a copy of it grows by itself", () => {
    const first = record(thought);
    const second = first.copy();
    second.record({ type: "text-delta", index: 1, text: "!" });
    assert.deepEqual([first.items[1]?.text, second.items[1]?.text], ["Yes", "Yes!"]);
    second.record({ type: "reasoning-opaque", index: 0, opaque: signed });
    assert.deepEqual([first.items[0]?.opaque.length, second.items[0]?.opaque.length], [1, 2]);
  });
});
