/**
 * What Anthropic's API takes and OpenAI's has no counterpart for. Nothing of it is dropped in silence: what changes the
 * answer is refused by name, what does not is left out and named in a header. A provider that speaks the caller's own
 * dialect gets all of it.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BadRequestError } from "@anthropic-ai/sdk";
import { testBooks } from "../suite.ts";
import { openMessagesSuite, upstreams } from "./suite.ts";

const messages = [{ role: "user" as const, content: "hi" }];
const search = { type: "web_search_20250305", name: "web_search" };

const refused: readonly (readonly [string, object])[] = [
  ["tools[0]", { tools: [search] }],
  ["mcp_servers", { mcp_servers: [{ type: "url", url: "https://example.com", name: "n" }] }],
  ["container", { container: "c_1" }],
  ["new_next_year", { new_next_year: true }],
];

const reported: readonly (readonly [string, object])[] = [
  ["anthropic-beta", {}],
  ["cache_control", { system: [{ type: "text", text: "Be brief.", cache_control: { type: "ephemeral" } }] }],
];

describe("what only Anthropic's API has", () => {
  const suite = openMessagesSuite();
  const headers = { "anthropic-beta": "some-2026-01-01" };
  const native = upstreams.find((upstream) => upstream.native)?.model ?? "";
  const translated = upstreams.find((upstream) => !upstream.native)?.model ?? "";

  function ask(model: string, change: object, stream = false) {
    const request = { max_tokens: 300, messages, ...change, model, stream } as never;
    return suite.anthropic.messages.create(request, { headers }).asResponse();
  }

  for (const [param, change] of refused) {
    test(`${param} is passed on where it means something, and refused by name elsewhere`, async () => {
      assert.equal((await ask(native, change)).status, 200);
      await assert.rejects(ask(translated, change), (error) => {
        assert.ok(error instanceof BadRequestError, String(error));
        const { error: body } = error.error as { error: { param: string; code: string } };
        assert.deepEqual([body.param.startsWith(param), body.code], [true, "unsupported_parameter"], body.param);
        return true;
      });
    });
  }

  for (const [name, change] of reported) {
    test(`${name} is passed on where it means something, and named in x-headgate-dropped elsewhere`, async () => {
      for (const stream of [false, true]) {
        const here = await ask(native, change, stream);
        assert.equal(here.headers.get("x-headgate-dropped"), null);
        assert.match(await here.text(), /"stop_reason":"end_turn"/);
        const there = await ask(translated, change, stream);
        assert.ok(
          there.headers.get("x-headgate-dropped")?.includes(name),
          String(there.headers.get("x-headgate-dropped")),
        );
        assert.match(await there.text(), /"stop_reason":"end_turn"/);
      }
    });
  }

  testBooks(suite);
});
