import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../test/support/properties.ts";
import { isTerminal, nextStreamState, streamTransitions, type StreamInput, type StreamState } from "./stream-state.ts";

const states = Object.keys(streamTransitions) as StreamState[];
const inputs = Object.keys(streamTransitions.open) as StreamInput[];

test("every state answers every input with a known state", () => {
  for (const state of states) {
    for (const input of inputs) assert.ok(states.includes(nextStreamState(state, input)), `${state} on ${input}`);
  }
});

test("a terminal state is never left", () => {
  for (const state of states.filter(isTerminal)) {
    for (const input of inputs) assert.equal(nextStreamState(state, input), state);
  }
});

test("a stream ends well only if the provider gave a finish reason first", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...inputs), { maxLength: 30 }), (sequence) => {
      let state: StreamState = "connecting";
      let finished = false;
      for (const input of sequence) {
        const before: StreamState = state;
        state = nextStreamState(state, input);
        if (before === "open" && input === "finish") finished = true;
        if (state === "ended") assert.ok(finished, sequence.join(" "));
      }
    }),
    { numRuns: 2_000 },
  );
});

test("whatever came before, an abort ends the stream, and an end of file leaves none open", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...inputs), { maxLength: 30 }), (sequence) => {
      const state = sequence.reduce<StreamState>(nextStreamState, "connecting");
      assert.ok(isTerminal(nextStreamState(state, "abort")));
      assert.ok(isTerminal(nextStreamState(state, "eof")));
    }),
  );
});

test("a marker, an end of file or a reset before the finish reason breaks the stream", () => {
  for (const input of ["end", "eof", "reset", "timeout", "error", "invalid"] as const) {
    assert.equal(nextStreamState("open", input), "broken", input);
  }
});

test("once the finish reason is known, a missing marker, a reset, silence or an unreadable event does not spoil the answer", () => {
  for (const input of ["end", "eof", "reset", "quiet", "timeout"] as const) {
    assert.equal(nextStreamState("ending", input), "ended", input);
    assert.equal(nextStreamState("whole", input), "ended", input);
  }
  assert.equal(nextStreamState("ending", "invalid"), "ending");
});

test("what follows a whole answer changes nothing, and only what has finished is whole", () => {
  for (const input of ["headers", "output", "progress", "usage", "finish", "invalid"] as const) {
    assert.equal(nextStreamState("whole", input), "whole", input);
  }
  for (const state of states) assert.equal(nextStreamState(state, "whole") === "whole", /ending|whole/.test(state));
});
