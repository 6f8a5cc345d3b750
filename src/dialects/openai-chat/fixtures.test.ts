/** Provider streams as they come over the wire, read and decoded as a relay does, however their bytes are cut. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import type { CanonicalEvent } from "../canonical.ts";
import type { StreamReader, StreamSignal } from "../dialect.ts";
import { SseParser, type SseEvent } from "../sse.ts";
import { openaiChat } from "./openai-chat.ts";

interface Watched {
  readonly signals: readonly StreamSignal[];
  readonly said: readonly CanonicalEvent[];
  readonly reader: StreamReader;
}

function watch(name: string, chunkBytes: number): Watched {
  const wire = readFileSync(new URL(`fixtures/${name}.sse`, import.meta.url));
  const reader = openaiChat.outbound!.createStreamReader({}, 1);
  const decoder = openaiChat.outbound!.translation!.createStreamDecoder({});
  const signals: StreamSignal[] = [];
  const said: CanonicalEvent[] = [];
  const sink = (event: SseEvent): void => {
    if (event.comment) return;
    signals.push(reader.read(event));
    said.push(...decoder.decode(reader.json));
  };
  const parser = new SseParser({ eventBytes: 1 << 20 });
  for (let start = 0; start < wire.length; start += chunkBytes)
    parser.push(wire.subarray(start, start + chunkBytes), sink);
  parser.end(sink);
  return { signals, said, reader };
}

function play(name: string): Watched {
  const whole = watch(name, Infinity);
  for (const chunkBytes of [1, 7, 100]) {
    const cut = watch(name, chunkBytes);
    assert.deepEqual(cut.signals, whole.signals);
    assert.deepEqual(cut.said, whole.said);
    assert.deepEqual(cut.reader.reading, whole.reader.reading);
  }
  return whole;
}

/** `text:…`, `item:…`, in order. */
function brief(said: readonly CanonicalEvent[]): string[] {
  return said.map((event) => {
    switch (event.type) {
      case "item-start":
        return `${event.index} ${event.item.kind}${event.item.kind === "tool-call" ? ` ${event.item.callId} ${event.item.name}` : ""}`;
      case "text-delta":
      case "refusal-delta":
      case "reasoning-delta":
      case "arguments-delta":
        return `${event.index} ${event.type} ${event.text}`;
      case "item-end":
        return `${event.index} end`;
      case "finish":
        return `finish ${event.finish.reason}`;
      default:
        return event.type;
    }
  });
}

describe("a provider's chat completion stream", () => {
  test("of OpenAI: role, text, finish, a chunk with usage alone, and the end", () => {
    const { signals, said, reader } = play("openai-text");
    assert.deepEqual(signals, ["progress", "output", "output", "finish", "usage", "end"]);
    assert.deepEqual(brief(said), [
      "start",
      "0 message",
      "0 text-delta Grüße",
      "0 text-delta  ☃",
      "0 end",
      "finish stop",
      "usage",
    ]);
    const { usage, ...rest } = reader.reading;
    assert.deepEqual(rest, {
      id: "chatcmpl-A1",
      model: "gpt-5-mini-2025-08-07",
      usageIsDoubtful: false,
      serviceTier: "default",
      finish: "stop",
      outputBytes: 11,
    });
    assert.equal(usage?.inputTokens, 176);
    assert.equal(usage?.cacheReadTokens, 1024);
    assert.equal(usage?.outputTokens, 6);
    assert.equal(usage?.reasoningTokens, 64);
  });

  test("of OpenAI: parallel tool calls whose deltas interleave", () => {
    const { signals, said, reader } = play("openai-parallel-tools");
    assert.deepEqual(signals, ["progress", "output", "output", "output", "output", "finish", "end"]);
    assert.deepEqual(brief(said), [
      "start",
      "0 tool-call call_a weather",
      "1 tool-call call_b time",
      '0 arguments-delta {"city":',
      "1 arguments-delta {}",
      '0 arguments-delta "Bern"}',
      "0 end",
      "1 end",
      "finish tool-calls",
    ]);
    assert.equal(reader.reading.usage, null);
    assert.equal(reader.reading.outputBytes, "weathertime".length + '{"city":"Bern"}{}'.length);
  });

  test("of DeepSeek: reasoning before text, and usage with the finish reason", () => {
    const { signals, said, reader } = play("deepseek-reasoning");
    assert.deepEqual(signals, ["progress", "output", "output", "finish", "end"]);
    assert.deepEqual(brief(said), [
      "start",
      "0 reasoning",
      "0 reasoning-delta Two and two",
      "0 end",
      "1 message",
      "1 text-delta 4",
      "1 end",
      "finish stop",
      "usage",
    ]);
    assert.deepEqual(
      [reader.reading.usage?.inputTokens, reader.reading.usage?.cacheReadTokens, reader.reading.usage?.reasoningTokens],
      [6, 8, 6],
    );
  });

  test("of Groq: CRLF, usage in its own field, no final newline", () => {
    const { signals, reader } = play("groq-crlf-no-final-newline");
    assert.deepEqual(signals, ["output", "finish", "end"]);
    assert.equal(reader.reading.usage?.inputTokens, 5);
  });

  test("of OpenRouter: an error after output is the provider's failure and never a finish", () => {
    const { signals, said, reader } = play("openrouter-error-after-output");
    assert.deepEqual(signals, ["output", "error"]);
    assert.equal(reader.failure?.code, "upstream_failed");
    assert.equal(reader.failure?.message, "Upstream idle timeout");
    assert.equal(reader.reading.finish, null);
    assert.ok(brief(said).includes("0 text-delta Half"));
  });

  test("cut in the middle of an event: invalid, and no finish", () => {
    const { signals, reader } = play("truncated");
    assert.deepEqual(signals, ["output", "invalid"]);
    assert.equal(reader.reading.finish, null);
  });

  test("with text between the events that is none, JSON over two lines, and no terminal marker", () => {
    const { signals, reader } = play("html-in-stream");
    assert.deepEqual(signals, ["output", "output", "invalid", "finish"]);
    assert.equal(reader.reading.finish, "stop");
  });
});
