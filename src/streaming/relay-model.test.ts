/**
 * The relay against a reference that knows whole events only: provider streams made at random, cut into arbitrary
 * packets, with one fault at an arbitrary place, for every pair of dialects and every commit point.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../test/support/properties.ts";
import type { InvalidEvents } from "../config/config.ts";
import { HeadgateError } from "../kernel/errors.ts";
import { parseJsonDocument } from "../kernel/json-document.ts";
import { findDialect } from "../dialects/registry.ts";
import {
  brokenEvent,
  providerStreams,
  type ProviderDialect,
  type ProviderEvent,
} from "../../test/support/provider-streams.ts";
import { emptyUsage } from "../kernel/usage.ts";
import { AnswerMemory } from "./answer-memory.ts";
import type { CommitPolicy } from "./commit.ts";
import { StreamRelay } from "./relay.ts";
import { isTerminal, type StreamState } from "./stream-state.ts";

const endings = ["eof", "reset", "timeout", "quiet", "abort"] as const;
type Ending = (typeof endings)[number];

interface Run {
  readonly dialect: ProviderDialect;
  readonly events: readonly ProviderEvent[];
  readonly sentBytes: number;
  readonly packets: readonly number[];
  readonly ending: Ending;
  readonly commit: CommitPolicy;
  readonly withholdUsage: boolean;
  readonly invalidEvents: InvalidEvents;
  /** Before which packet the owner of a window ends it; -1: never. */
  readonly ownerCommitsAt: number;
}

interface Seen {
  written: string;
  writes: number;
  committed: number;
  done: number;
}

/** More than any of the streams. */
const LARGE = 1_000_000;

const runs = fc
  .record({
    stream: providerStreams,
    fault: fc.option(fc.constantFrom("error" as const, "invalid" as const), { nil: null, freq: 3 }),
    faultAt: fc.double({ min: 0, max: 1, noNaN: true }),
    cut: fc.option(
      fc.record({ events: fc.double({ min: 0, max: 1, noNaN: true }), bytes: fc.integer({ min: -6, max: 14 }) }),
      { nil: null },
    ),
    packetBytes: fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 8 }),
    ending: fc.constantFrom<Ending>("eof", "eof", "eof", ...endings),
    at: fc.constantFrom("first-output" as const, "window" as const, "complete" as const),
    heldBytesMax: fc.constantFrom(600, LARGE),
    withholdUsage: fc.boolean(),
    invalidEvents: fc.constantFrom<InvalidEvents>("break", "skip"),
    ownerCommitsAt: fc.integer({ min: -1, max: 10 }),
  })
  .map(({ stream, fault, faultAt, cut, packetBytes, at, heldBytesMax, ...rest }) => {
    const events = [...stream.events];
    if (fault !== null) events.splice(Math.round(faultAt * events.length), 0, brokenEvent(stream.dialect, fault));
    const sentBytes = cut === null ? byteLength(events) : cutBytes(events, cut);
    const packets: number[] = [];
    for (let from = 0, index = 0; from < sentBytes; index++) {
      from = Math.min(sentBytes, from + (packetBytes[index % packetBytes.length] ?? 1));
      packets.push(from);
    }
    const commit = { at, heldBytesMax };
    const { dialect } = stream;
    return { ...rest, dialect, events, sentBytes, packets, commit };
  });

/** Near the end of an event, where it matters. */
function cutBytes(events: readonly ProviderEvent[], cut: { readonly events: number; readonly bytes: number }): number {
  const near = byteLength(events.slice(0, Math.round(cut.events * events.length))) + cut.bytes;
  return Math.min(byteLength(events), Math.max(0, near));
}

/** The state after whole events, by what they say. */
function expectedState(events: readonly ProviderEvent[], ending: Ending | null): StreamState {
  let finished = false;
  for (const { says, isLast } of events) {
    if (says === "error" || says === "invalid") return "broken";
    if (says === "end") return finished ? "ended" : "broken";
    if (says === "finish") finished = true;
    if (finished && isLast) return "ended";
  }
  if (ending === "abort") return "cancelled";
  if (ending === null) return finished ? "ending" : "open";
  return finished ? "ended" : "broken";
}

/**
 * Those that have come whole and are not left out. At the end of file a last blank line may be missing, where the rest
 * makes sense.
 */
function arrived({ events, invalidEvents }: Run, bytes: number, atEof: boolean): readonly ProviderEvent[] {
  const whole: ProviderEvent[] = [];
  let finished = false;
  let at = 0;
  for (const event of events) {
    const needed = Buffer.byteLength(atEof && event.says !== "invalid" ? event.raw.trimEnd() : event.raw);
    if (at + needed > bytes) break;
    finished ||= event.says === "finish";
    if (event.says !== "invalid" || (invalidEvents === "break" && !finished)) whole.push(event);
    at += Buffer.byteLength(event.raw);
  }
  return whole;
}

/** Up to the one that made the state terminal, and with it if it is part of the answer. */
function untilEnd(events: readonly ProviderEvent[]): readonly ProviderEvent[] {
  let finished = false;
  const last = events.findIndex(({ says }, at) => {
    if (finished && events[at - 1]?.isLast === true) return true;
    finished ||= says === "finish";
    return says === "error" || says === "invalid" || says === "end";
  });
  return last < 0 ? events : events.slice(0, last);
}

function byteLength(events: readonly ProviderEvent[]): number {
  return events.reduce((sum, { raw }) => sum + Buffer.byteLength(raw), 0);
}

function mayHaveCommitted({ commit }: Run, events: readonly ProviderEvent[], state: StreamState): boolean {
  if (commit.at === "complete") return state === "ended";
  if (commit.at === "window") return events.some(({ says }) => says === "finish");
  return events.some(({ says }) => says === "output" || says === "finish");
}

function relayFor(run: Run, seen: Seen): StreamRelay {
  const inbound = findDialect("openai-chat").inbound;
  const outbound = findDialect(run.dialect).outbound;
  assert.ok(inbound?.translation && outbound?.translation);
  const body = `{"model":"m","stream":true,"messages":[{"role":"user","content":"x"}]}`;
  const view = inbound.view(parseJsonDocument(Buffer.from(body), { depth: 20 }));
  const relay = new StreamRelay(
    {
      reader: outbound.createStreamReader({}, 1),
      translation:
        run.dialect === "openai-chat"
          ? null
          : {
              decoder: outbound.translation.createStreamDecoder({}),
              encoder: inbound.translation.createStreamEncoder(view, 0),
            },
      tap: null,
      streamEnd: inbound.streamEnd,
      withholdUsage: run.withholdUsage,
      eventBytesMax: 1_000_000,
      invalidEvents: run.invalidEvents,
      commit: run.commit,
    },
    {
      relayCommitted() {
        assert.equal(seen.writes, 0, "written before the commit point");
        seen.committed++;
      },
      relayWrite(bytes) {
        assert.equal(seen.done, 0, "written after the end");
        assert.equal(seen.committed, 1, "written before the commit point");
        seen.writes++;
        seen.written += Buffer.from(bytes).toString("latin1");
      },
      relayProgress() {},
      relayEnding() {},
      countUsage: emptyUsage,
      relayDone: () => void seen.done++,
    },
    new AnswerMemory(Infinity),
  );
  relay.open();
  return relay;
}

function end(relay: StreamRelay, ending: Ending): void {
  const failure = new HeadgateError("idle_timeout", "Silence.");
  if (ending === "eof") relay.eof();
  else if (ending === "reset") relay.reset(new Error("reset"));
  else if (ending === "abort") relay.abort();
  else relay.expire(ending, failure);
  // Silence says nothing of a stream that has not finished: its connection is what ends it.
  if (ending === "quiet") relay.reset(new Error("reset"));
}

/** Without comments. */
function blocksOf(stream: string): readonly string[] {
  return stream
    .split(/\r?\n\r?\n/)
    .map((block) => block.trim())
    .filter((block) => block !== "" && !block.startsWith(":"));
}

/** What a caller has of a stream: its answer, and its markers of success. */
function understand(latin1: string): { text: string; args: string; markers: number } {
  const understood = { text: "", args: "", markers: 0 };
  const stream = Buffer.from(latin1, "latin1").toString();
  assert.ok(stream === "" || /(\n\n|\r\n\r\n)$/.test(stream), "an event without its end");
  for (const block of blocksOf(stream)) {
    const data = block.replace(/^data: /, "");
    if (data === "[DONE]") {
      understood.markers++;
      continue;
    }
    const chunk = JSON.parse(data) as {
      choices: { delta: { content?: string; tool_calls?: { function: { arguments: string } }[] } }[];
    };
    assert.equal(understood.markers, 0, "something after the terminal marker");
    const delta = chunk.choices[0]?.delta;
    understood.text += delta?.content ?? "";
    understood.args += delta?.tool_calls?.[0]?.function.arguments ?? "";
  }
  return understood;
}

const tooMuch = /too much before its first output|larger than limits/;

function play(run: Run): { relay: StreamRelay; seen: Seen; overfull: boolean } {
  const seen: Seen = { written: "", writes: 0, committed: 0, done: 0 };
  const relay = relayFor(run, seen);
  const bytes = Buffer.from(run.events.map(({ raw }) => raw).join(""));
  let ownerCommitted = false;
  let from = 0;
  for (const [index, to] of run.packets.entries()) {
    if (index === run.ownerCommitsAt && run.commit.at === "window" && !isTerminal(relay.state)) {
      relay.commit();
      ownerCommitted = true;
    }
    relay.push(Buffer.from(bytes.subarray(from, to)));
    from = to;
    const whole = arrived(run, to, false);
    const state = expectedState(whole, null);
    const packetBytes = to - (run.packets[index - 1] ?? 0);
    const mayOverflow = run.commit.at === "window" && run.commit.heldBytesMax < LARGE;
    if (!ownerCommitted && !mayOverflow && !mayHaveCommitted(run, untilEnd(whole), state)) {
      assert.equal(seen.committed, 0, "committed too early");
    }
    if (run.dialect === "openai-chat" && !relay.committed && !isTerminal(relay.state)) {
      const held = untilEnd(whole).filter(({ says }) => says !== "comment" && says !== "usage");
      assert.ok(byteLength(held) <= run.commit.heldBytesMax + packetBytes, "more held back than is allowed");
    }
  }
  const overfull = run.sentBytes > run.commit.heldBytesMax && tooMuch.test(relay.failure?.message ?? "");
  end(relay, run.ending);
  const { writes } = seen;
  relay.push(bytes);
  relay.commit();
  relay.eof();
  assert.equal(seen.writes, writes, "written after the end");
  return { relay, seen, overfull };
}

test("whatever comes, in whatever packets: a prefix of the true answer, complete only if the provider finished", () => {
  fc.assert(
    fc.property(runs, (run) => {
      const { relay, seen, overfull } = play(run);
      const whole = arrived(run, run.sentBytes, run.ending === "eof");
      if (!overfull) assert.equal(relay.state, expectedState(whole, run.ending));
      assert.ok(isTerminal(relay.state));
      assert.equal(seen.done, 1);
      assert.equal(relay.failure === null, relay.state !== "broken");
      const caller = understand(seen.written + Buffer.from(relay.tail).toString("latin1"));
      assert.equal(caller.markers, relay.state === "ended" ? 1 : 0);
      const said = untilEnd(whole);
      const text = said.map((event) => event.text).join("");
      const args = said.map((event) => event.args).join("");
      assert.ok(text.startsWith(caller.text));
      assert.ok(args.startsWith(caller.args));
      if (relay.state === "ended") assert.equal(seen.committed, 1);
      if (seen.committed === 1 && !overfull) assert.deepEqual([caller.text, caller.args], [text, args]);
    }),
    { numRuns: 4_000 },
  );
});

test("same dialect: what is handed on are the provider's own events, whole and in order", () => {
  fc.assert(
    fc.property(runs, (run) => {
      fc.pre(run.dialect === "openai-chat");
      const { relay, seen } = play(run);
      const whole = untilEnd(arrived(run, run.sentBytes, run.ending === "eof"));
      const relayed = whole.filter(({ says }) => says !== "comment" && !(says === "usage" && run.withholdUsage));
      const expected = relayed.map(({ raw }) => raw.trim());
      const written = blocksOf(Buffer.from(seen.written, "latin1").toString());
      if (relay.state === "ended") assert.deepEqual(written, expected);
      else assert.deepEqual(written, expected.slice(0, written.length));
    }),
    { numRuns: 2_000 },
  );
});
