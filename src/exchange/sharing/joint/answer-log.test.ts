import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fc } from "../../../../test/support/properties.ts";
import type { Responder } from "../../responder.ts";
import { AnswerMemory } from "../../../streaming/answer-memory.ts";
import { AnswerLog, type LogReader } from "./answer-log.ts";

/** A caller who takes what it gets, or nothing more after a while. */
class Caller {
  text = "";
  isCut = false;
  /** Bytes that it takes before it says that it has no room. */
  room: number;
  reader: LogReader | null = null;

  constructor(room = Infinity) {
    this.room = room;
  }

  join(log: AnswerLog): this {
    const write = (bytes: Uint8Array): boolean => {
      this.text += Buffer.from(bytes).toString();
      this.room -= bytes.byteLength;
      return this.room > 0;
    };
    const responder = { write, unreadBytes: 0 } as unknown as Responder;
    this.reader = log.join({ responder, begin: () => (this.text += "^"), cut: () => void (this.isCut = true) });
    return this;
  }

  drain(room: number): void {
    this.room = room;
    this.reader?.drained();
  }
}

function say(log: AnswerLog, text: string): boolean {
  return log.append(Buffer.from(text));
}

describe("AnswerLog", () => {
  test("gives whoever joins everything from the beginning, then each piece as it comes", () => {
    const log = new AnswerLog(100, new AnswerMemory(Infinity));
    const first = new Caller().join(log);
    assert.equal(first.text, "");
    log.begin();
    say(log, "ab");
    const second = new Caller().join(log);
    say(log, "cd");
    assert.deepEqual([first.text, second.text], ["^abcd", "^abcd"]);
    assert.equal(Buffer.from(log.contents()).toString(), "abcd");
  });

  test("goes on at the pace of the fastest, and lets the others catch up", () => {
    const log = new AnswerLog(100, new AnswerMemory(Infinity));
    log.begin();
    const [fast, slow] = [new Caller().join(log), new Caller(2).join(log)];
    assert.ok(say(log, "ab"));
    assert.ok(say(log, "cd"));
    assert.deepEqual([fast.text, slow.text], ["^abcd", "^ab"]);
    slow.drain(100);
    assert.equal(slow.text, "^abcd");
  });

  test("has no room while nobody has, and says how much waits for the fastest", () => {
    const log = new AnswerLog(100, new AnswerMemory(Infinity));
    log.begin();
    const [one, two] = [new Caller(1).join(log), new Caller(3).join(log)];
    assert.ok(say(log, "ab"));
    assert.ok(!say(log, "cdef"));
    assert.deepEqual([one.text, two.text, log.unreadBytes], ["^ab", "^abcdef", 0]);
    assert.ok(!say(log, "gh"));
    assert.equal(log.unreadBytes, 2);
    two.drain(100);
    assert.ok(log.hasRoom);
  });

  test("cuts off who is too far behind, and nobody else", () => {
    const log = new AnswerLog(10, new AnswerMemory(Infinity));
    log.begin();
    const [fast, slow] = [new Caller().join(log), new Caller(1).join(log)];
    for (let piece = 0; piece < 10; piece++) say(log, "xxxx");
    assert.deepEqual([fast.isCut, slow.isCut, log.readerCount], [false, true, 1]);
    assert.equal(fast.text.length, 41);
    assert.equal(slow.text, "^xxxx");
    assert.ok(!log.isWhole);
  });

  test("waits for who is alone, however much comes at once", () => {
    const log = new AnswerLog(10, new AnswerMemory(Infinity));
    log.begin();
    const slow = new Caller(1).join(log);
    for (let piece = 0; piece < 10; piece++) assert.ok(!say(log, "xxxx"));
    assert.deepEqual([slow.isCut, log.readerCount], [false, 1]);
    slow.drain(Infinity);
    assert.equal(slow.text.length, 41);
  });

  test("without memory for it takes nobody more, and keeps what the fastest reader has yet to take", () => {
    const memory = new AnswerMemory(1_000);
    memory.grow(0, 100_000);
    const log = new AnswerLog(1_000_000, memory);
    log.begin();
    const [fast, slow] = [new Caller(40_000).join(log), new Caller(1).join(log)];
    for (let piece = 0; piece < 3; piece++) say(log, "x".repeat(10_000));
    assert.deepEqual([fast.isCut, slow.isCut, log.isWhole], [false, true, false]);
    say(log, "x".repeat(10_000));
    assert.ok(!say(log, "y"), "who is alone and has no room is waited for");
    fast.drain(100);
    assert.equal(fast.text.length, 40_002);
    log.release();
    memory.giveBack(100_000, 100_000);
    assert.equal(memory.bytes, 0);
  });

  test("gives the rest to who has no room when nothing more will come", () => {
    const log = new AnswerLog(100, new AnswerMemory(Infinity));
    log.begin();
    const slow = new Caller(1).join(log);
    say(log, "ab");
    say(log, "cd");
    slow.reader?.readToEnd();
    assert.equal(slow.text, "^abcd");
  });

  test("gives every reader every byte in order, or cuts it off, and keeps no more than it may for anybody", () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant("say" as const), size: fc.integer({ min: 1, max: 8 }) }),
      fc.record({ kind: fc.constant("join" as const), room: fc.integer({ min: 1, max: 20 }) }),
      fc.record({ kind: fc.constant("drain" as const), who: fc.nat(7), room: fc.integer({ min: 1, max: 20 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const keepBytes = 24;
        const log = new AnswerLog(keepBytes, new AnswerMemory(Infinity));
        const callers: Caller[] = [];
        let all = "^";
        log.begin();
        for (const each of steps) {
          if (each.kind === "say") {
            const text = String.fromCharCode(97 + (all.length % 26)).repeat(each.size);
            all += text;
            say(log, text);
          } else if (each.kind === "join") {
            if (log.isWhole) callers.push(new Caller(each.room).join(log));
          } else if (callers[each.who]?.isCut === false) {
            callers[each.who]?.drain(each.room);
          }
          const there = callers.filter(({ isCut }) => !isCut);
          const behind = there.map(({ reader }) => log.bytes - (reader?.bytesRead ?? 0));
          const most = Math.max(keepBytes, Math.min(...behind));
          for (const { text } of callers) assert.ok(all.startsWith(text));
          assert.ok(log.isWhole || behind.every((bytes) => bytes <= most));
        }
        for (const { isCut, reader } of callers) if (!isCut) reader?.readToEnd();
        for (const { text, isCut } of callers) assert.ok(isCut || text === all);
      }),
    );
  });
});
