import assert from "node:assert/strict";
import { test } from "node:test";
import { readPriority } from "./priority.ts";

test("a request is interactive unless its header or its service tier says batch; the header wins", () => {
  assert.equal(readPriority({}, null), "interactive");
  assert.equal(readPriority({}, "flex"), "interactive");
  assert.equal(readPriority({}, "batch"), "batch");
  assert.equal(readPriority({ "x-headgate-priority": "batch" }, null), "batch");
  assert.equal(readPriority({ "x-headgate-priority": "interactive" }, "batch"), "interactive");
});

test("a priority that does not exist is refused, and so is one given twice", () => {
  for (const given of ["urgent", "", "Batch", ["batch", "batch"]]) {
    assert.throws(() => readPriority({ "x-headgate-priority": given }, null), {
      code: "invalid_header",
      param: "x-headgate-priority",
    });
  }
});
