import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { makeProvider, makeRequest, makeRouter, type MadeRouter } from "../../test/support/routing.ts";
import type { DialectName } from "../dialects/dialect.ts";
import { HeadgateError, type ErrorCode } from "../kernel/errors.ts";
import type { PlanRequest } from "./plan.ts";
import type { RoutedPrice } from "./price-ceiling.ts";
import type { Router } from "./router.ts";

const european = makeProvider("eu", { tags: ["eu"] });
const american = makeProvider("us", { tags: ["us", "no-retention"] });
const claude = makeProvider("claude", { dialects: ["anthropic-messages"], facts: { maxOutputTokens: 64_000 } });

function route(alias: NonNullable<MadeRouter["aliases"]>[string], more: MadeRouter = {}): Router {
  return makeRouter({ aliases: { fast: alias }, providers: [european, american, claude], ...more });
}

function names(router: Router, request: PlanRequest): string {
  const { targets } = router.plan(request);
  return targets.map(({ name }) => name).join(" ");
}

function refusal(code: ErrorCode, ...patterns: readonly RegExp[]) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof HeadgateError);
    assert.equal(error.code, code, error.message);
    for (const pattern of patterns) assert.match(error.message, pattern);
    return true;
  };
}

describe("capabilities", () => {
  const factsOf = {
    blind: { lacks: ["images"] },
    plain: { lacks: ["images", "tools", "reasoning"] },
    able: {},
  } as const;
  const providers = [makeProvider("p", { factsOf })];
  const router = makeRouter({
    providers,
    aliases: { fast: { targets: [{ model: "p/blind" }, { model: "p/plain" }], fallbacks: [{ model: "p/able" }] } },
  });
  const picture = { type: "image_url", image_url: { url: "https://example.com/a.png" } };
  const pictures = { messages: [{ role: "user", content: [picture] }] };
  const tools = { tools: [{ type: "function", function: { name: "f" } }] };

  test("each request gets the targets that have what it needs, fallbacks as well", () => {
    assert.equal(names(router, makeRequest("fast")), "p/blind p/plain p/able");
    assert.equal(names(router, makeRequest("fast", tools)), "p/blind p/able");
    assert.equal(names(router, makeRequest("fast", { reasoning_effort: "high" })), "p/blind p/able");
    assert.equal(names(router, makeRequest("fast", { ...pictures, ...tools })), "p/able");
  });

  test("a refusal names what each target lacks", () => {
    const without = makeRouter({
      providers,
      aliases: { fast: { targets: [{ model: "p/blind" }, { model: "p/plain" }, { model: "p/able", weight: 0 }] } },
    });
    assert.throws(
      () => without.plan(makeRequest("fast", { ...pictures, ...tools })),
      refusal(
        "unsupported_capability",
        /p\/blind does not support image input; p\/plain does not support tools or image input\.$/,
      ),
    );
  });
});

describe("tags", () => {
  test("a route's tags must be the target's or its provider's", () => {
    const targets = [{ model: "eu/a" }, { model: "us/b" }, { model: "us/c", tags: ["eu"] }];
    assert.equal(names(route({ targets, requires: ["eu"] }), makeRequest("fast")), "eu/a us/c");
    assert.equal(names(route({ targets, requires: ["eu", "no-retention"] }), makeRequest("fast")), "us/c");
  });

  test("a request's own tags are required besides, also of names that are no alias", () => {
    const router = route({
      targets: [{ model: "eu/a" }, { model: "us/b" }, { model: "eu/c", tags: ["no-retention"] }],
    });
    const strict = { requires: ["no-retention"] };
    assert.equal(names(router, makeRequest("fast", {}, strict)), "us/b eu/c");
    assert.equal(names(router, makeRequest("fast", {}, { requires: ["no-retention", "eu"] })), "eu/c");
    assert.equal(names(router, makeRequest("us/x", {}, strict)), "us/x");
    assert.throws(
      () => router.plan(makeRequest("eu/x", {}, strict)),
      refusal("unsupported_capability", /eu\/x lacks the tag no-retention\./),
    );
    assert.equal(names(router, makeRequest("fast")), "eu/a us/b eu/c");
  });

  test("a tag that route and request both require is missed once", () => {
    const router = route({ targets: [{ model: "us/b" }], requires: ["eu"] });
    assert.throws(
      () => router.plan(makeRequest("fast", {}, { requires: ["eu"] })),
      refusal("unsupported_capability", /: us\/b lacks the tag eu\.$/),
    );
  });

  test("those that are left draw by their own weights", () => {
    const targets = [
      { model: "eu/a", weight: 8 },
      { model: "us/b", weight: 3 },
      { model: "us/c", weight: 1 },
    ];
    const orderAt = (drawn: number) =>
      names(route({ targets }, { random: () => drawn }), makeRequest("fast", {}, { requires: ["us"] }));
    assert.equal(orderAt(0.74), "us/b us/c");
    assert.equal(orderAt(0.76), "us/c us/b");
  });
});

describe("prices", () => {
  const prices: Readonly<Record<string, RoutedPrice>> = {
    cheap: { standIn: false, rates: { input: "1", output: "2" } },
    dear: { standIn: false, rates: { input: "10", output: "20" } },
  };
  const targets = [{ model: "eu/dear" }, { model: "eu/cheap" }, { model: "eu/unknown" }];
  const priceOf: MadeRouter["priceOf"] = (_provider, model) => prices[model] ?? null;

  test("a ceiling leaves out what is dearer and what has no price", () => {
    const router = route({ targets, priceCeiling: { output: "5" } }, { priceOf });
    assert.equal(names(router, makeRequest("fast")), "eu/cheap");
    assert.equal(names(route({ targets }, { priceOf }), makeRequest("fast")), "eu/dear eu/cheap eu/unknown");
  });

  test("the price is that of the moment and of the service tier asked for", () => {
    const asked: unknown[] = [];
    const router = route(
      { targets, priceCeiling: { input: "5" } },
      {
        priceOf(provider, model, serviceTier, atMs) {
          asked.push([provider, serviceTier]);
          return (model === "dear") === atMs > 1000 ? (prices["dear"] ?? null) : (prices["cheap"] ?? null);
        },
      },
    );
    assert.equal(names(router, makeRequest("fast", { service_tier: "flex" }, { atMs: 5 })), "eu/dear");
    assert.equal(names(router, makeRequest("fast", {}, { atMs: 5000 })), "eu/cheap eu/unknown");
    assert.deepEqual(asked[0], ["eu", "flex"]);
  });

  test("where models without a price are refused they stand aside, and are refused as such if nothing is left", () => {
    const more = { priceOf, refusesUnpriced: true };
    assert.equal(names(route({ targets }, more), makeRequest("fast")), "eu/dear eu/cheap");
    assert.throws(
      () => route({ targets: [{ model: "eu/unknown" }] }, more).plan(makeRequest("fast")),
      refusal("unpriced_model", /eu\/unknown has no price/),
    );
  });
});

describe("dialects", () => {
  const mixed = { targets: [{ model: "claude/sonnet" }, { model: "eu/a" }] };

  test("a target whose dialect cannot carry the request is left out", () => {
    const router = route(mixed);
    assert.equal(names(router, makeRequest("fast")), "claude/sonnet eu/a");
    for (const fields of [{ n: 2 }, { logit_bias: { 5: 1 } }, { temperature: 1.5 }]) {
      assert.equal(names(router, makeRequest("fast", fields)), "eu/a", JSON.stringify(fields));
    }
    assert.equal(names(router, makeRequest("fast", { top_k: 5 })), "claude/sonnet eu/a");
  });

  test("where no target carries it, the refusal is about the field", () => {
    const router = route({ targets: [{ model: "claude/sonnet" }, { model: "claude/opus" }] });
    assert.throws(
      () => router.plan(makeRequest("fast", { logit_bias: { 5: 1 } })),
      (thrown) => {
        assert.ok(thrown instanceof HeadgateError);
        assert.deepEqual([thrown.code, thrown.param], ["unsupported_parameter", "logit_bias"]);
        return true;
      },
    );
  });

  test("nothing is translated on trial where everybody speaks the caller's dialect, or the request is plain", () => {
    const untranslatable = () => assert.fail("nobody asks");
    const alike = route({ targets: [{ model: "eu/a" }, { model: "us/b" }] }, { untranslatable });
    assert.equal(names(alike, makeRequest("fast", { n: 2 })), "eu/a us/b");
    const request = makeRequest("fast", { temperature: 0.5, tools: [{ type: "function", function: { name: "f" } }] });
    assert.equal(names(route(mixed, { untranslatable }), request), "claude/sonnet eu/a");
  });
});

describe("estimates", () => {
  const factsOf = { small: { contextTokens: 1000, maxOutputTokens: 500 }, large: { contextTokens: 100_000 } };
  const providers = [makeProvider("p", { factsOf })];
  const targets = [{ model: "p/small" }, { model: "p/large" }];
  const router = makeRouter({ providers, aliases: { fast: { targets }, tiny: { targets: [{ model: "p/small" }] } } });
  const prompt = (length: number) => ({ messages: [{ role: "user", content: "ab ".repeat(length / 3) }] });

  test("a window that the prompt cannot fit into is left out, one that is merely likely too small is not", () => {
    assert.equal(names(router, makeRequest("fast", prompt(12_000))), "p/small p/large");
    assert.equal(names(router, makeRequest("fast", prompt(18_000))), "p/large");
  });

  test("media and the inputs of embeddings are not counted against a window", () => {
    const url = `data:image/png;base64,${"A".repeat(50_000)}`;
    const pictures = { messages: [{ role: "user", content: [{ type: "image_url", image_url: { url } }] }] };
    assert.equal(names(router, makeRequest("fast", pictures)), "p/small p/large");
    const inputs = { input: Array.from({ length: 1000 }, () => "many words of one input") };
    assert.equal(names(router, makeRequest("fast", inputs, { dialect: "openai-embeddings" })), "p/small p/large");
  });

  test("a bound on output beyond what a model writes goes to another one", () => {
    assert.equal(names(router, makeRequest("fast", { max_completion_tokens: 500 })), "p/small p/large");
    assert.equal(names(router, makeRequest("fast", { max_completion_tokens: 501 })), "p/large");
  });

  test("a bound that the caller's dialect demands keeps no target away that is told a lower one", () => {
    const speaking = (...dialects: DialectName[]): Router =>
      makeRouter({ providers: [makeProvider("p", { factsOf, dialects })], aliases: { fast: { targets } } });
    const request = makeRequest("fast", { max_tokens: 501 }, { dialect: "anthropic-messages" });
    assert.equal(names(speaking("openai-chat"), request), "p/small p/large");
    assert.equal(names(speaking("anthropic-messages"), request), "p/large");
  });

  test("estimates leave no request without a target: the provider says itself what it cannot do", () => {
    assert.equal(names(router, makeRequest("tiny", { ...prompt(60_000), max_tokens: 9000 })), "p/small");
    assert.equal(names(router, makeRequest("p/small", { ...prompt(60_000), max_tokens: 9000 })), "p/small");
    const both = makeRouter({
      providers: [makeProvider("p", { facts: factsOf.small })],
      aliases: { fast: { targets } },
    });
    assert.equal(names(both, makeRequest("fast", prompt(60_000))), "p/small p/large");
  });
});

test("timeouts of the provider, the alias and the target are laid over each other in this order", () => {
  const timeouts = { connectMs: 1, firstTokenMs: 2, idleMs: 3, totalMs: 4, switchMs: 5, endingMs: 6 };
  const router = makeRouter({
    providers: [makeProvider("p", { timeouts })],
    aliases: {
      fast: {
        targets: [{ model: "p/a", timeouts: { idleMs: 30 } }],
        fallbacks: [{ model: "p/b" }],
        timeouts: { idleMs: 300, totalMs: 400 },
      },
    },
  });
  const { targets } = router.plan(makeRequest("fast"));
  assert.deepEqual(
    targets.map((target) => target.timeouts),
    [
      { ...timeouts, idleMs: 30, totalMs: 400 },
      { ...timeouts, idleMs: 300, totalMs: 400 },
    ],
  );
  assert.deepEqual(router.plan(makeRequest("p/c")).targets[0]?.timeouts, timeouts);
});

test("waits of the provider, the alias and the target are laid over each other in the same order", () => {
  const queue = { waitMs: 1, batchWaitMs: 2 };
  const router = makeRouter({
    providers: [makeProvider("p", { queue })],
    aliases: {
      fast: {
        targets: [{ model: "p/a", queue: { waitMs: 10 } }],
        fallbacks: [{ model: "p/b" }],
        queue: { waitMs: 100, batchWaitMs: 200 },
      },
    },
  });
  const waits = (name: string): readonly object[] =>
    router.plan(makeRequest(name)).targets.map((target) => target.queue);
  assert.deepEqual(waits("fast"), [
    { waitMs: 10, batchWaitMs: 200 },
    { waitMs: 100, batchWaitMs: 200 },
  ]);
  assert.deepEqual(waits("p/c"), [queue]);
});
