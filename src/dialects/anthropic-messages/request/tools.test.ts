import assert from "node:assert/strict";
import { test } from "node:test";
import { HeadgateError } from "../../../kernel/errors.ts";
import type { CanonicalRequest, Tool, ToolChoice } from "../../canonical.ts";
import { planTools, type ToolPlan } from "./tools.ts";

function tool(name: string, change: Partial<Tool> = {}): Tool {
  return { name, description: null, parameters: { type: "object", properties: {} }, strict: null, ...change };
}

function plan(
  tools: readonly Tool[],
  toolChoice: ToolChoice | null = null,
  change: Partial<CanonicalRequest> = {},
): ToolPlan {
  return planTools({ items: [], parallelToolCalls: null, ...change, tools, toolChoice } as unknown as CanonicalRequest);
}

function refuses(run: () => unknown, param: string): void {
  assert.throws(run, (thrown) => thrown instanceof HeadgateError && thrown.param === param);
}

const three = [tool("c"), tool("a"), tool("b")];

test("carries description, schema and strictness, in the caller's order", () => {
  const schema = {
    type: "object",
    properties: { q: { $ref: "#/$defs/q" } },
    $defs: { q: { type: ["string", "null"] } },
  };
  const { tools, choice } = plan([
    tool("z", { description: "Finds.", parameters: schema, strict: true }),
    tool("a", { strict: false }),
  ]);
  assert.deepEqual(tools, [
    { name: "z", description: "Finds.", input_schema: schema, strict: true },
    { name: "a", input_schema: { type: "object", properties: {} } },
  ]);
  assert.equal(choice, null);
});

test("gives a tool without parameters, or without their type, the schema of an object", () => {
  const { tools } = plan([tool("a", { parameters: null }), tool("b", { parameters: { properties: {} } })]);
  assert.deepEqual(
    tools.map((each) => each.input_schema),
    [{ type: "object" }, { type: "object", properties: {} }],
  );
});

test("refuses names outside the API's alphabet and length, duplicates and schemas that are no objects", () => {
  assert.equal(plan([tool("a".repeat(128))]).tools.length, 1);
  for (const name of ["", "a b", "näme", "a.b", "a".repeat(129)]) {
    refuses(() => plan([tool("ok"), tool(name)]), "tools[1].function.name");
  }
  refuses(() => plan([tool("a"), tool("b"), tool("a")]), "tools[2].function.name");
  refuses(() => plan([tool("a", { parameters: { type: "string" } })]), "tools[0].function.parameters");
});

test("maps each choice, and knows which of them force a call", () => {
  const table: [ToolChoice | null, unknown, boolean][] = [
    [null, null, false],
    [{ mode: "auto" }, { type: "auto" }, false],
    [{ mode: "none" }, { type: "none" }, false],
    [{ mode: "required" }, { type: "any" }, true],
    [{ mode: "named", name: "a" }, { type: "tool", name: "a" }, true],
    [{ mode: "allowed", required: false, names: ["a"] }, { type: "auto" }, false],
    [{ mode: "allowed", required: true, names: ["a"] }, { type: "any" }, true],
  ];
  for (const [choice, expected, forced] of table) {
    const planned = plan(three, choice);
    assert.deepEqual([planned.choice, planned.forced], [expected, forced]);
  }
});

test("emulates allowed tools by offering only those, in the caller's order", () => {
  const { tools } = plan(three, { mode: "allowed", required: false, names: ["b", "c"] });
  assert.deepEqual(
    tools.map((each) => each.name),
    ["c", "b"],
  );
});

test("refuses a choice that names no offered tool", () => {
  refuses(() => plan(three, { mode: "named", name: "x" }), "tool_choice");
  refuses(() => plan(three, { mode: "allowed", required: false, names: ["a", "x"] }), "tool_choice");
  refuses(() => plan(three, { mode: "allowed", required: false, names: [] }), "tool_choice");
  refuses(() => plan([], { mode: "required" }), "tool_choice");
});

test("turns parallel calls off with every choice that allows a call", () => {
  const off = { parallelToolCalls: false };
  assert.deepEqual(plan(three, null, off).choice, { type: "auto", disable_parallel_tool_use: true });
  assert.deepEqual(plan(three, { mode: "required" }, off).choice, { type: "any", disable_parallel_tool_use: true });
  assert.deepEqual(plan(three, { mode: "none" }, off).choice, { type: "none" });
  assert.deepEqual(plan(three, { mode: "auto" }, { parallelToolCalls: true }).choice, { type: "auto" });
  assert.equal(plan([], null, off).choice, null);
});

test("declares the called tools again, and forbids calls, where a conversation has calls but no tools", () => {
  const items: CanonicalRequest["items"] = [
    { type: "tool-call", callId: "1", name: "b", arguments: "{}" },
    { type: "tool-call", callId: "2", name: "a", arguments: "{}" },
    { type: "tool-call", callId: "3", name: "b", arguments: "{}" },
  ];
  const { tools, choice, forced } = plan([], null, { items });
  assert.deepEqual(tools, [
    { name: "b", input_schema: { type: "object" } },
    { name: "a", input_schema: { type: "object" } },
  ]);
  assert.deepEqual([choice, forced], [{ type: "none" }, false]);
});
