import assert from "node:assert/strict";
import { test } from "node:test";
import {
  makeProvider,
  makeRequest,
  makeRouter,
  type MadeRequest,
  type MadeRouter,
} from "../../test/support/routing.ts";
import { defaultConfig } from "../config/defaults.ts";
import { HeadgateError, type ErrorCode } from "../kernel/errors.ts";
import type { PlanRequest } from "./plan.ts";
import type { Router } from "./router.ts";

const openai = makeProvider("openai", { models: ["gpt-5", "gpt-5-mini", "text-embedding-3-small"] });
const anthropic = makeProvider("anthropic", {
  models: ["claude-sonnet-4-5"],
  dialects: ["anthropic-messages"],
  facts: { maxOutputTokens: 64_000, lacks: ["audio"] },
});
const openrouter = makeProvider("openrouter", {
  models: ["openai/gpt-5", "meta/llama"],
  quirks: { streamUsage: "always" },
});

function alias(...targets: readonly (readonly [model: string, weight: number])[]): object {
  return { targets: targets.map(([model, weight]) => ({ model, weight })) };
}

function router(aliases: MadeRouter["aliases"] = {}, more: MadeRouter = {}): Router {
  return makeRouter({ aliases, providers: [openai, anthropic, openrouter], ...more });
}

function chat(model: string, fields: object = {}, more: MadeRequest = {}): PlanRequest {
  return makeRequest(model, fields, more);
}

function names(sources: Router, request: PlanRequest): string[] {
  return sources.plan(request).targets.map(({ name }) => name);
}

function refusal(code: ErrorCode, pattern: RegExp) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof HeadgateError);
    assert.equal(error.code, code);
    assert.match(error.message, pattern);
    assert.equal(error.param, "model");
    return true;
  };
}

test("an alias wins over a provider's model of the same name", () => {
  const sources = router({ "gpt-5": alias(["anthropic/claude-sonnet-4-5", 1]) });
  assert.deepEqual(names(sources, chat("gpt-5")), ["anthropic/claude-sonnet-4-5"]);
});

test("a prefixed name reaches any model of the provider, known or not, with further slashes in it", () => {
  const plan = router().plan(chat("openrouter/vendor/brand-new"));
  assert.equal(plan.asked, "openrouter/vendor/brand-new");
  assert.deepEqual(plan.targets, [
    {
      provider: "openrouter",
      name: "openrouter/vendor/brand-new",
      dialect: "openai-chat",
      facts: {
        model: "vendor/brand-new",
        maxOutputTokens: null,
        quirks: { streamUsage: "always" },
        lacks: [],
        thinksUnasked: false,
      },
      timeouts: defaultConfig().timeouts,
      queue: defaultConfig().queue,
      isFallback: false,
      contextTokens: null,
    },
  ]);
});

test("a bare name goes to the first provider that knows it, in configured order", () => {
  assert.deepEqual(names(router(), chat("gpt-5")), ["openai/gpt-5"]);
  assert.deepEqual(names(router(), chat("meta/llama")), ["openrouter/meta/llama"]);
  const second = makeProvider("second", { models: ["gpt-5"] });
  const swapped = router({}, { providers: [second, openai] });
  assert.deepEqual(names(swapped, chat("gpt-5")), ["second/gpt-5"]);
});

test("an unknown name is refused with the near ones and where to look", () => {
  const sources = router({ smart: alias(["openai/gpt-5", 1]) });
  assert.throws(() => sources.plan(chat("gpt-5-mni")), refusal("model_not_found", /Did you mean openai\/gpt-5-mini/));
  assert.throws(() => sources.plan(chat("smrt")), refusal("model_not_found", /Did you mean smart/));
  assert.throws(() => sources.plan(chat("zzzzzzzz")), refusal("model_not_found", /"zzzzzzzz"\. GET \/v1\/models/));
});

test("only models that the key may use are suggested", () => {
  const sources = router({ smart: alias(["openai/gpt-5-mini", 1]) });
  const asked = chat("gpt-5-mni", {}, { modelAllowList: ["anthropic/*"] });
  assert.throws(
    () => sources.plan(asked),
    (error: unknown) => error instanceof HeadgateError && !/openai/.test(error.message),
  );
});

test("names without a model or a provider, inherited names and endless names are not found", () => {
  const sources = router();
  for (const name of ["/", "/gpt-5", "openai/", "constructor", "__proto__", `openai/${"x".repeat(300)}`]) {
    assert.throws(() => sources.plan(chat(name)), refusal("model_not_found", /GET \/v1\/models/), name);
  }
});

test("a caller is served in its own dialect where the provider speaks it, else in another of the operation", () => {
  const both = makeProvider("both", { models: ["m"], dialects: ["anthropic-messages", "openai-chat"] });
  const sources = router({}, { providers: [both, anthropic] });
  const dialectOf = (request: PlanRequest) => sources.plan(request).targets[0]?.dialect;
  assert.equal(dialectOf(chat("both/m")), "openai-chat");
  assert.equal(dialectOf(chat("claude-sonnet-4-5")), "anthropic-messages");
});

test("embeddings never go to a provider that only chats", () => {
  const embeddings = { dialect: "openai-embeddings" } as const;
  assert.throws(
    () => router().plan(chat("anthropic/claude-sonnet-4-5", {}, embeddings)),
    refusal("unsupported_capability", /anthropic\/claude-sonnet-4-5 does not serve embeddings/),
  );
  assert.equal(router().plan(chat("text-embedding-3-small", {}, embeddings)).targets[0]?.dialect, "openai-embeddings");
});

test("a target that is known not to do what the request needs is passed over, and named if none is left", () => {
  const audio = { modalities: ["text", "audio"] };
  const sources = router({ mixed: alias(["anthropic/claude-sonnet-4-5", 9], ["openai/gpt-5", 1]) });
  assert.deepEqual(names(sources, chat("mixed", audio)), ["openai/gpt-5"]);
  assert.deepEqual(names(sources, chat("mixed")), ["anthropic/claude-sonnet-4-5", "openai/gpt-5"]);
  assert.throws(
    () => sources.plan(chat("claude-sonnet-4-5", audio)),
    refusal("unsupported_capability", /anthropic\/claude-sonnet-4-5 does not support audio/),
  );
});

test("the drawn target comes first, the others behind it by falling weight", () => {
  const aliases = { spread: alias(["openai/a", 1], ["openai/b", 2], ["openai/c", 5], ["openai/off", 0]) };
  const orderAt = (drawn: number) => names(router(aliases, { random: () => drawn }), chat("spread")).join(" ");
  assert.equal(orderAt(0), "openai/c openai/b openai/a");
  assert.equal(orderAt(0.624), "openai/c openai/b openai/a");
  assert.equal(orderAt(0.625), "openai/b openai/c openai/a");
  assert.equal(orderAt(0.875), "openai/a openai/c openai/b");
  assert.equal(orderAt(0.999), "openai/a openai/c openai/b");
});

test("an alias whose targets all have weight 0 serves nothing and says so", () => {
  const sources = router({ parked: alias(["openai/gpt-5", 0]) });
  assert.throws(() => sources.plan(chat("parked")), refusal("unsupported_capability", /every target has weight 0/));
});

test("plans stay right when more names are asked for than are remembered", () => {
  const sources = router();
  for (let index = 0; index < 10_000; index++) {
    assert.deepEqual(names(sources, chat(`openai/m${index}`)), [`openai/m${index}`]);
  }
  assert.deepEqual(names(sources, chat("openai/m0")), ["openai/m0"]);
});

test("aliases are listed first, then every known model under its provider", () => {
  const listed = router({ smart: alias(["openai/gpt-5", 1]) }).list();
  assert.deepEqual(listed[0], { id: "smart", ownedBy: "headgate" });
  assert.deepEqual(listed.at(-1), { id: "openrouter/meta/llama", ownedBy: "openrouter" });
  assert.equal(listed.length, 7);
});
