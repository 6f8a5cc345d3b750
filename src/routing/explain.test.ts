import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../test/support/properties.ts";
import { makeProvider, makeRequest, makeRouter, type MadeRouter } from "../../test/support/routing.ts";
import { HeadgateError } from "../kernel/errors.ts";
import type { RouteExplanation } from "./explanation.ts";
import type { PlanRequest } from "./plan.ts";
import type { Router } from "./router.ts";

const factsOf = { blind: { lacks: ["images"] }, small: { contextTokens: 100, maxOutputTokens: 50 } } as const;
const providers = [
  makeProvider("p", { factsOf, tags: ["eu"] }),
  makeProvider("claude", { dialects: ["anthropic-messages"], tags: ["us"] }),
];
const targets = [
  { model: "p/a", weight: 1 },
  { model: "p/blind", weight: 3 },
  { model: "claude/b", weight: 2 },
  { model: "p/parked", weight: 0 },
];
const fallbacks = [{ model: "p/small", tags: ["spare"] }];

function router(more: object = {}, sources: MadeRouter = {}): Router {
  return makeRouter({ providers, aliases: { fast: { targets, fallbacks, ...more } }, ...sources });
}

function places({ targets: explained }: RouteExplanation): Readonly<Record<string, number | null>> {
  return Object.fromEntries(explained.map(({ name, place }) => [name, place]));
}

function reasonsOf({ targets: explained }: RouteExplanation, name: string): readonly string[] {
  const target = explained.find((each) => each.name === name);
  assert.ok(target !== undefined);
  return target.reasons.map(({ kind, text }) => `${kind}: ${text}`);
}

test("every target has its place or the reasons why it has none", () => {
  const picture = { type: "image_url", image_url: { url: "https://example.com/a.png" } };
  const request = makeRequest("fast", { messages: [{ role: "user", content: [picture] }], n: 2, max_tokens: 60 });
  const explained = router().explain(request);
  assert.deepEqual(places(explained), {
    "p/a": 1,
    "p/blind": null,
    "claude/b": null,
    "p/parked": null,
    "p/small": null,
  });
  assert.deepEqual(reasonsOf(explained, "p/blind"), ["capability: does not support image input"]);
  assert.deepEqual(reasonsOf(explained, "p/parked"), ["weight: takes no requests, for its weight is 0"]);
  assert.deepEqual(reasonsOf(explained, "p/small"), ["output: writes at most 50 tokens, and the request allows 60"]);
  assert.match(reasonsOf(explained, "claude/b")[0] ?? "", /^dialect: cannot be told all of it: n: /);
  assert.deepEqual(explained.needs, ["image input", "several answers to one request"]);
  assert.equal(explained.refusal, null);
  assert.equal(explained.balance, null);
});

test("where chance decides, the likeliest order is shown with every target's share", () => {
  const explained = router({}, { random: () => assert.fail("nothing is drawn") }).explain(makeRequest("fast"));
  assert.deepEqual(places(explained), { "p/blind": 1, "claude/b": 2, "p/a": 3, "p/small": 4, "p/parked": null });
  const shares = explained.targets.map(({ sharePercent }) => sharePercent);
  assert.deepEqual(shares, [50, 100 / 3, 100 / 6, null, null]);
  assert.equal(explained.balance?.by, "weighted");
  assert.deepEqual(
    explained.targets.map(({ isTranslated }) => isTranslated),
    [false, true, false, false, false],
  );
});

test("loads choose as they stand, and the explanation shows them", () => {
  const load = (name: string) => (name === "claude/b" ? 1 : 100);
  const explained = router({ balance: "least-loaded" }, { load }).explain(makeRequest("fast"));
  assert.equal(explained.targets[0]?.name, "claude/b");
  assert.equal(explained.targets[0]?.load, 1);
  assert.ok(explained.targets.every(({ sharePercent }) => sharePercent === null));
});

test("without a tenant nobody can say where a prompt sticks: the likeliest order is shown", () => {
  const explain = (tenantId: string | null) =>
    router({ balance: "sticky" }).explain(makeRequest("fast", {}, { tenantId }));
  assert.match(explain(null).balance?.decision ?? "", /without a tenant/);
  assert.equal(explain(null).targets[0]?.sharePercent, 50);
  assert.equal(explain("tnt_1").targets[0]?.sharePercent, null);
});

test("a request that would be refused is explained with its refusal", () => {
  const explained = router({ requires: ["eu", "us"] }).explain(makeRequest("fast"));
  assert.equal(explained.refusal?.code, "unsupported_capability");
  assert.ok(explained.targets.every(({ place }) => place === null));
  assert.deepEqual(reasonsOf(explained, "p/a"), ["tag: lacks the tag us"]);
});

test("what speaks against a target that is taken all the same is told", () => {
  const explained = router().explain(makeRequest("p/small", { max_tokens: 60 }));
  assert.deepEqual(places(explained), { "p/small": 1 });
  assert.deepEqual(reasonsOf(explained, "p/small"), ["output: writes at most 50 tokens, and the request allows 60"]);
});

test("an explanation tells the policy and the timeouts in force", () => {
  const explained = router({ timeouts: { idleMs: 7 }, retries: { attemptsMax: 2 } }).explain(makeRequest("fast"));
  assert.equal(explained.policy.retries.attemptsMax, 2);
  assert.ok(explained.targets.every(({ timeouts }) => timeouts.idleMs === 7));
});

/** The targets of the plan, or the code of its refusal. */
function planned(sources: Router, request: PlanRequest): readonly string[] | string {
  try {
    const { targets: found } = sources.plan(request);
    return found.map(({ name }) => name);
  } catch (thrown) {
    assert.ok(thrown instanceof HeadgateError);
    return thrown.code;
  }
}

test("an explanation agrees with the plan, whatever is asked of whatever route", () => {
  const fields = fc.record(
    {
      n: fc.constantFrom(1, 2),
      max_tokens: fc.constantFrom(10, 60),
      temperature: fc.constantFrom(0.5, 1.5),
      logprobs: fc.boolean(),
      reasoning_effort: fc.constantFrom("low", "none"),
      messages: fc.constantFrom(
        [{ role: "user", content: "Hi" }],
        [{ role: "user", content: "x ".repeat(4000) }],
        [{ role: "user", content: [{ type: "image_url", image_url: { url: "https://example.com/a.png" } }] }],
      ),
    },
    { requiredKeys: [] },
  );
  const route = fc.record({
    balance: fc.constantFrom("weighted", "least-loaded", "sticky"),
    requires: fc.subarray(["eu", "us"]),
    priceCeiling: fc.constantFrom({}, { input: "5" }),
  });
  const priceOf: MadeRouter["priceOf"] = (_provider, model) => ({
    standIn: false,
    rates: { input: model === "a" ? "9" : "1" },
  });
  fc.assert(
    fc.property(fields, route, fc.subarray(["eu", "spare"]), (asked, terms, requires) => {
      const sources = router(terms, { priceOf });
      const request = makeRequest("fast", asked, { requires });
      const { targets: explained, refusal } = sources.explain(request);
      const placed = explained.filter(({ place }) => place !== null).map(({ name }) => name);
      assert.deepEqual(planned(sources, request), refusal?.code ?? placed);
      for (const { place, reasons } of explained) assert.ok(place !== null || reasons.length > 0);
    }),
  );
});
