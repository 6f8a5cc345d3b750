import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fc } from "../../test/support/properties.ts";
import { HeadgateError } from "../kernel/errors.ts";
import { SseParser, type SseEvent } from "./sse.ts";

const limits = { eventBytes: 1024 };

function parse(chunks: readonly Uint8Array[]): SseEvent[] {
  const events: SseEvent[] = [];
  const parser = new SseParser(limits);
  for (const chunk of chunks) parser.push(chunk, (event) => events.push(event));
  parser.end((event) => events.push(event));
  return events;
}

/** `[event, data]`, and `comment` for a block without data. */
function show(events: readonly SseEvent[]): readonly unknown[] {
  return events.map((event) => (event.comment ? "comment" : [event.event, event.data]));
}

function parseText(text: string): readonly unknown[] {
  return show(parse([Buffer.from(text)]));
}

describe("SseParser", () => {
  test("reads data lines ended by LF, CRLF, CR and a mixture", () => {
    const expected = [
      ["", "a"],
      ["", "b"],
    ];
    assert.deepEqual(parseText("data: a\n\ndata: b\n\n"), expected);
    assert.deepEqual(parseText("data: a\r\n\r\ndata: b\r\n\r\n"), expected);
    assert.deepEqual(parseText("data: a\r\rdata: b\r\r"), expected);
    assert.deepEqual(parseText("data: a\n\r\ndata: b\r\n\r"), expected);
    assert.deepEqual(parseText("data: a\r\ndata: b\n\n"), [["", "a\nb"]]);
  });

  test("takes one space after the colon off and no more", () => {
    assert.deepEqual(parseText("data:a\n\ndata:  a \n\ndata:\n\ndata\n\n"), [
      ["", "a"],
      ["", " a "],
      ["", ""],
      ["", ""],
    ]);
  });

  test("joins several data lines and keeps the event's name", () => {
    assert.deepEqual(parseText("event: x\ndata: {\ndata:\ndata: }\nid: 1\nretry: 5\n\n"), [["x", "{\n\n}"]]);
  });

  test("marks blocks without data as comments and ignores comments inside an event", () => {
    assert.deepEqual(parseText(": keep-alive\n\n\n\nevent: ping\n\n: c\ndata: a\n:x\n\n"), [
      "comment",
      "comment",
      "comment",
      "comment",
      ["", "a"],
    ]);
  });

  test("ignores a byte order mark at the beginning and nowhere else", () => {
    assert.deepEqual(parseText("\ufeffdata: a\n\n"), [["", "a"]]);
    assert.deepEqual(parseText("data: a\n\n\ufeffdata: b\n\n"), [["", "a"], "comment"]);
  });

  test("delivers a last event whose blank line or line feed is missing", () => {
    for (const ending of ["", "\n", "\r", "\r\n", "\n\r"]) {
      assert.deepEqual(parseText(`data: a\n\ndata: [DONE]${ending}`), [
        ["", "a"],
        ["", "[DONE]"],
      ]);
    }
  });

  test("keeps a CRLF that is split over two chunks in one event", () => {
    const events = parse([Buffer.from("data: a\r\n\r"), Buffer.from("\ndata: b\n\n")]);
    assert.deepEqual(
      events.map((event) => Buffer.from(event.raw).toString()),
      ["data: a\r\n\r\n", "data: b\n\n"],
    );
  });

  test("delivers an event as soon as its blank line is there", () => {
    const events: SseEvent[] = [];
    const parser = new SseParser(limits);
    parser.push(Buffer.from("data: a\n\ndata: b\n"), (event) => events.push(event));
    assert.deepEqual(show(events), [["", "a"]]);
    parser.push(Buffer.from("\n"), (event) => events.push(event));
    assert.deepEqual(show(events), [
      ["", "a"],
      ["", "b"],
    ]);
  });

  test("does not copy an event that lies in one chunk", () => {
    const chunk = new TextEncoder().encode("data: a\n\ndata: b\n\n");
    for (const event of parse([chunk])) assert.equal(event.raw.buffer, chunk.buffer);
  });

  test("does not overwrite the bytes of an event it has delivered", () => {
    const events = parse([Buffer.from("data: a"), Buffer.from("bc\n\ndata: XXXXX"), Buffer.from("\n\n")]);
    assert.deepEqual(
      events.map((event) => Buffer.from(event.raw).toString()),
      ["data: abc\n\n", "data: XXXXX\n\n"],
    );
  });

  test("keeps bytes that are not UTF-8 in raw and replaces them in data", () => {
    const bytes = Buffer.concat([Buffer.from("data: a"), Buffer.from([0xff]), Buffer.from("\n\n")]);
    const [event] = parse([bytes]);
    assert.equal(event?.data, "a\ufffd");
    assert.deepEqual(event?.raw, bytes);
  });

  test("refuses an event over the limit, in one chunk or many", () => {
    const isTooLong = (thrown: unknown): boolean => {
      assert.ok(thrown instanceof HeadgateError);
      return thrown.code === "upstream_malformed" && /longer than 1024 bytes/.test(thrown.message);
    };
    const text = `data: ${"x".repeat(1024 - 8)}\n\n`;
    assert.equal(parse([Buffer.from(text)]).length, 1);
    const longer = Buffer.from(text.replace("x", "xx"));
    assert.throws(() => parse([longer]), isTooLong);
    assert.throws(() => parse([...longer].map((byte) => Buffer.of(byte))), isTooLong);
    const parser = new SseParser(limits);
    assert.throws(() => parser.push(Buffer.alloc(2000, "x"), () => assert.fail("nothing is complete")), isTooLong);
  });

  test("gives the same events for any split of the input, and their bytes are the input", () => {
    const fragment = fc.constantFrom(
      "data: ",
      "data",
      ":",
      "event: e",
      "{",
      "é☃",
      "\n",
      "\r",
      "\r\n",
      "\n\n",
      "\ufeff",
      " ",
      "x",
    );
    const cuts = fc.array(fc.nat(60), { maxLength: 12 });
    fc.assert(
      fc.property(fc.array(fragment, { maxLength: 40 }), cuts, (parts, at) => {
        const input = Buffer.from(parts.join(""));
        const edges = [0, ...at.filter((cut) => cut <= input.length).sort((a, b) => a - b), input.length];
        const chunks = edges.slice(1).map((edge, index) => Uint8Array.from(input.subarray(edges[index], edge)));
        const split = parse(chunks);
        assert.deepEqual(split.map(plain), parse([input]).map(plain));
        assert.deepEqual(Buffer.concat(split.map((event) => event.raw)), input);
      }),
      { numRuns: 3000 },
    );
  });

  test("agrees with a line-by-line reading of the standard", () => {
    const line = fc.constantFrom(
      "data: a",
      "data:b",
      "data",
      "event: e",
      ": c",
      "",
      "",
      "other: x",
      "data: é:☃",
      "dataset: x",
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 30 }), fc.constantFrom("\n", "\r", "\r\n"), (lines, newline) => {
        const text = [...lines, "", ""].join(newline);
        const events = parse([Buffer.from(text)]).filter((event) => !event.comment);
        assert.deepEqual(show(events), readByTheStandard(lines));
      }),
    );
  });
});

function plain(event: SseEvent): SseEvent {
  return { ...event, raw: Buffer.from(event.raw) };
}

function readByTheStandard(lines: readonly string[]): readonly unknown[] {
  const events: unknown[] = [];
  let data: string[] = [];
  let name = "";
  for (const line of [...lines, ""]) {
    if (line === "") {
      if (data.length > 0) events.push([name, data.join("\n")]);
      data = [];
      name = "";
      continue;
    }
    const [, field, value] = /^([^:]*)(?:: ?(.*))?$/.exec(line) ?? [];
    if (field === "data") data.push(value ?? "");
    if (field === "event") name = value ?? "";
  }
  return events;
}
