import assert from "node:assert/strict";
import { test } from "node:test";
import type { Meter } from "../allowance.ts";
import { AMOUNT_MAX } from "./amounts.ts";
import { type AllowanceTerms, checkTerms } from "./terms.ts";

const budget: AllowanceTerms = {
  name: "monthly",
  meter: "money",
  limit: 100n,
  window: "month",
  timeZone: "Europe/Berlin",
  burst: null,
  models: null,
  operation: null,
  mode: "enforce",
  policy: "expected",
  alertPercents: [80, 100],
};
const rate: AllowanceTerms = { ...budget, meter: "requests", window: "minute", timeZone: "UTC", alertPercents: [] };

test("budgets, rates and slots are accepted, a limit of zero and the largest one too", () => {
  const accepted: readonly AllowanceTerms[] = [
    budget,
    { ...budget, limit: 0n },
    { ...budget, limit: AMOUNT_MAX },
    { ...budget, window: "lifetime", policy: "strict", models: ["openai/*"], operation: "chat", mode: "shadow" },
    { ...budget, window: "minute" },
    { ...budget, meter: "tokens", window: "day", alertPercents: [1, 1000] },
    { ...rate, burst: 5n },
    { ...rate, meter: "tokens", window: "hour", policy: "strict" },
    { ...rate, meter: "slots", window: "lifetime", mode: "soft" },
  ];
  for (const terms of accepted) checkTerms(terms);
});

const refused: readonly (readonly [name: string, terms: object, param: string, message: RegExp])[] = [
  [
    "a negative limit",
    { ...budget, limit: -1n },
    "limit",
    /limit cannot be negative: -\$0\.000000001\. 0 admits nothing\./,
  ],
  [
    "a limit beyond 64 bits",
    { ...budget, limit: AMOUNT_MAX + 1n },
    "limit",
    /limit is too large\. The most is \$9223372036\.854775807\./,
  ],
  ["an unknown meter", { ...budget, meter: "token" }, "meter", /meter cannot be "token"\. Did you mean tokens\?/],
  ["an unknown window", { ...budget, window: "year" }, "window", /window cannot be "year"\. It is one of minute, hour/],
  ["an unknown mode", { ...budget, mode: "sift" }, "mode", /mode cannot be "sift"\. Did you mean soft\?/],
  ["an unknown policy", { ...budget, policy: "lax" }, "policy", /It is one of expected, strict\./],
  ["an unknown operation", { ...budget, operation: "chats" }, "operation", /Did you mean chat\?/],
  [
    "a time zone that does not exist",
    { ...budget, timeZone: "Europe/Berln" },
    "timeZone",
    /Did you mean Europe\/Berlin\?/,
  ],
  ["a time zone in other case", { ...budget, timeZone: "europe/berlin" }, "timeZone", /Did you mean Europe\/Berlin\?/],
  ["an offset for a time zone", { ...budget, timeZone: "+02:00" }, "timeZone", /There is no time zone "\+02:00"\./],
  ["slots with a window", { ...rate, meter: "slots" }, "window", /Slots are held at the same time, not per minute\./],
  [
    "a burst on a budget",
    { ...budget, burst: 5n },
    "burst",
    /this is a budget of money per month\. Leave the burst out\./,
  ],
  ["a burst of nothing", { ...rate, burst: 0n }, "burst", /would never admit anything/],
  ["a negative burst", { ...rate, burst: -5n }, "burst", /burst cannot be negative: -5 requests\./],
  ["a strict policy for requests", { ...rate, policy: "strict" }, "policy", /Policy strict is for money and tokens/],
  [
    "alerts on a rate",
    { ...rate, alertPercents: [80] },
    "alerts",
    /Alerts are for budgets; a rate of requests per minute/,
  ],
  ["an alert at nothing", { ...budget, alertPercents: [0] }, "alerts", /whole percents of the limit from 1 to 1000/],
  ["an alert at a fraction", { ...budget, alertPercents: [99.5] }, "alerts", /whole percents/],
  ["an alert given twice", { ...budget, alertPercents: [80, 80] }, "alerts", /The same percent is given twice\./],
  ["an empty list of models", { ...budget, models: [] }, "models", /would fit none/],
  ["an empty pattern", { ...budget, models: [""] }, "models", /has 1 to 256 characters/],
  ["a name with spaces", { ...budget, name: "my budget" }, "name", /"my budget" cannot be the name of an allowance\./],
  ["a name like an id", { ...budget, name: "alw_1" }, "name", /does not begin like an id/],
];

for (const [name, terms, param, message] of refused) {
  test(`refuses ${name}`, () => {
    assert.throws(() => checkTerms(terms as AllowanceTerms), { code: "invalid_argument", param, message });
  });
}

test("what refuses one meter is said of each that it concerns", () => {
  for (const meter of ["money", "tokens", "requests"] satisfies Meter[]) {
    const message = new RegExp(`this is a budget of ${meter} per day`);
    assert.throws(() => checkTerms({ ...budget, meter, window: "day", burst: 1n }), { message });
  }
});
