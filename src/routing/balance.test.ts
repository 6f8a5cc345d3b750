import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../test/support/properties.ts";
import { makeProvider, makeRequest, makeRouter, type MadeRouter } from "../../test/support/routing.ts";
import type { ModelConfig } from "../config/config.ts";
import type { PlanRequest } from "./plan.ts";
import type { Router } from "./router.ts";

const providers = [makeProvider("p")];

function balanced(balance: ModelConfig["balance"], weights: Readonly<Record<string, number>>, more: MadeRouter = {}) {
  const targets = Object.entries(weights).map(([model, weight]) => ({ model: `p/${model}`, weight }));
  const fallbacks = [{ model: "p/spare-1" }, { model: "p/spare-2" }];
  return makeRouter({ providers, aliases: { fast: { targets, fallbacks, balance } }, ...more });
}

function order(router: Router, request: PlanRequest = makeRequest("fast")): string {
  const { targets } = router.plan(request);
  return targets.map(({ facts }) => facts.model).join(" ");
}

function prompt(content: string, more: object = {}): object {
  return { messages: [{ role: "user", content }], ...more };
}

test("fallbacks follow the route's own targets, in the order declared, whatever the balance", () => {
  for (const balance of ["weighted", "least-loaded", "sticky"] as const) {
    const router = balanced(balance, { a: 1, b: 2 });
    const { targets } = router.plan(makeRequest("fast"));
    assert.deepEqual(
      targets.slice(2).map(({ name, isFallback }) => [name, isFallback]),
      [
        ["p/spare-1", true],
        ["p/spare-2", true],
      ],
      balance,
    );
    assert.ok(targets.slice(0, 2).every(({ isFallback }) => !isFallback));
  }
});

test("by weight, each target is first for its share of the draws", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 5 }), (weights) => {
      fc.pre(weights.some((weight) => weight > 0));
      let drawn = 0;
      const named = Object.fromEntries(weights.map((weight, index) => [`m${index}`, weight]));
      const router = balanced("weighted", named, { random: () => drawn });
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      const firsts = new Map<string, number>();
      for (let step = 0; step < total; step++) {
        drawn = (step + 0.5) / total;
        const first = order(router).split(" ", 1)[0] ?? "";
        firsts.set(first, (firsts.get(first) ?? 0) + 1);
      }
      for (const [name, weight] of Object.entries(named)) assert.equal(firsts.get(name) ?? 0, weight);
    }),
  );
});

test("the least loaded is the one with the least load for its weight", () => {
  const load = (name: string) => ({ "p/a": 10, "p/b": 30, "p/c": 21 })[name] ?? 0;
  assert.equal(order(balanced("least-loaded", { a: 1, b: 1, c: 1 }, { load })), "a b c spare-1 spare-2");
  assert.match(order(balanced("least-loaded", { a: 1, b: 4, c: 1 }, { load })), /^b /);
});

test("targets that are loaded alike are drawn by weight", () => {
  const firsts = new Map<string, number>();
  const draws = 4000;
  let step = 0;
  // Evenly spread, and each draw far from the one before it.
  const router = balanced("least-loaded", { a: 3, b: 1 }, { random: () => (step++ * 0.618_033_988_749_895) % 1 });
  for (let index = 0; index < draws; index++) {
    const first = order(router).split(" ", 1)[0] ?? "";
    firsts.set(first, (firsts.get(first) ?? 0) + 1);
  }
  assert.ok(Math.abs((firsts.get("a") ?? 0) / draws - 0.75) < 0.01, String(firsts.get("a")));
});

test("prompts that begin alike stay at one target, turn after turn, and draw nothing", () => {
  const random = () => assert.fail("nothing is left to chance");
  const router = balanced("sticky", { a: 1, b: 1, c: 1 }, { random });
  const opening = [
    { role: "system", content: "Be brief." },
    { role: "user", content: "Why is the sky blue?" },
  ];
  const first = order(router, makeRequest("fast", { messages: opening }));
  const later = [...opening, { role: "assistant", content: "Scattering." }, { role: "user", content: "And red?" }];
  assert.equal(order(router, makeRequest("fast", { messages: later, temperature: 0.5 })), first);
});

test("different prompts spread over the targets, and a caller's cache key gathers them", () => {
  const router = balanced("sticky", { a: 1, b: 1, c: 1 });
  const firsts = (more: object) =>
    new Set(
      Array.from({ length: 60 }, (_, index) =>
        order(router, makeRequest("fast", prompt(`question ${index}`, more))).slice(0, 1),
      ),
    );
  assert.equal(firsts({}).size, 3);
  assert.equal(firsts({ prompt_cache_key: "tickets" }).size, 1);
});

test("the same prompt of another tenant is another prompt", () => {
  const router = balanced("sticky", { a: 1, b: 1, c: 1, d: 1 });
  const firsts = Array.from({ length: 40 }, (_, index) =>
    order(router, makeRequest("fast", {}, { tenantId: `tnt_${index}` })).slice(0, 1),
  );
  assert.equal(new Set(firsts).size, 4);
});

test("a target that cannot serve some prompts moves no other ones", () => {
  const facts = { factsOf: { c: { lacks: ["images"] } } } as const;
  const router = balanced("sticky", { a: 1, b: 2, c: 3 }, { providers: [makeProvider("p", facts)] });
  const picture = { type: "image_url", image_url: { url: "https://example.com/a.png" } };
  for (let index = 0; index < 100; index++) {
    // The key is the caller's own, so that the picture does not change it.
    const key = { prompt_cache_key: `key ${index}` };
    const withAll = order(router, makeRequest("fast", key));
    const without = order(router, makeRequest("fast", { ...key, messages: [{ role: "user", content: [picture] }] }));
    assert.equal(without, withAll.replace("c ", ""));
  }
});

test("requests without a prompt are drawn by weight on a sticky route", () => {
  let drawn = 0;
  const router = balanced("sticky", { a: 1, b: 1 }, { random: () => drawn });
  const embeddings = makeRequest("fast", {}, { dialect: "openai-embeddings" });
  assert.match(order(router, embeddings), /^a /);
  drawn = 0.9;
  assert.match(order(router, embeddings), /^b /);
});
