import assert from "node:assert/strict";
import { test } from "node:test";
import { checkConfig, type ConfigCheck } from "./check.ts";
import { renderProblem } from "./file/problem.ts";
import { effectiveValues } from "./render/effective.ts";

const SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz";

function check(text: string, env: Readonly<Record<string, string>>): ConfigCheck {
  const file = { text, name: "headgate.yaml", path: "/etc/headgate/headgate.yaml" };
  return checkConfig({ file, env, flags: {}, workingDirectory: "/srv", knownProviders: [] });
}

function problemsOf(text: string, env: Readonly<Record<string, string>>): readonly string[] {
  const checked = check(text, env);
  return checked.ok ? [] : checked.problems.map(renderProblem);
}

test("a webhook has its address and its secret, which is read and never shown", () => {
  const checked = check("alerts:\n  webhookUrl: https://ops.example/hook?team=1\n  webhookSecret: env:HOOK", {
    HOOK: SECRET,
  });
  assert.ok(checked.ok);
  const { alerts } = checked.loaded.config;
  assert.equal(alerts.webhookUrl, "https://ops.example/hook?team=1");
  assert.equal(alerts.webhookSecret?.reveal(), SECRET);
  const shown = effectiveValues(checked.loaded).find(({ path }) => path === "alerts.webhookSecret");
  assert.deepEqual([shown?.value, shown?.origin], ["[secret env:HOOK]", "headgate.yaml:3"]);
});

test("variables set both, the secret by reference, and win over the file", () => {
  const env = {
    HEADGATE_ALERTS_WEBHOOK_URL: "http://127.0.0.1:9/",
    HEADGATE_ALERTS_WEBHOOK_SECRET: "env:HOOK",
    HOOK: SECRET,
  };
  const checked = check("alerts:\n  webhookUrl: https://elsewhere.example/", env);
  assert.ok(checked.ok);
  assert.equal(checked.loaded.config.alerts.webhookUrl, "http://127.0.0.1:9/");
  assert.equal(checked.loaded.config.alerts.webhookSecret?.reveal(), SECRET);
});

test("without a webhook there is neither", () => {
  const checked = check("", {});
  assert.ok(checked.ok);
  assert.deepEqual(checked.loaded.config.alerts, { webhookUrl: null, webhookSecret: null });
});

const url = "webhookUrl: https://ops.example/hook";
const notASecret =
  'refers to something that is not whsec_ and 24 to 64 bytes in base64. Make one with: echo "whsec_$(openssl rand -base64 32)"';
const refused: readonly (readonly [name: string, text: string, problem: string])[] = [
  [
    "an address without a secret",
    `alerts:\n  ${url}`,
    "headgate.yaml:2:3: alerts.webhookUrl stands without `webhookSecret`. Add `webhookSecret: env:NAME`, so that the receiver can tell these calls from others.",
  ],
  [
    "a secret without an address",
    "alerts:\n  webhookSecret: env:HOOK",
    "headgate.yaml:2:3: alerts.webhookSecret stands without `webhookUrl`. Add it, or leave both out.",
  ],
  [
    "a secret written into the file",
    `alerts:\n  ${url}\n  webhookSecret: ${SECRET}`,
    "headgate.yaml:3:18: alerts.webhookSecret is a key written into the file itself; a key is only referred to. Put it into an environment variable and write `env:NAME`, or into a file of its own and write `file:PATH`.",
  ],
  [
    "a variable that is not set",
    `alerts:\n  ${url}\n  webhookSecret: env:NOBODY`,
    "headgate.yaml:3:18: alerts.webhookSecret refers to the environment variable NOBODY, which is not set. Set NOBODY in the environment of the gateway.",
  ],
  [
    "a secret of another form",
    `alerts:\n  ${url}\n  webhookSecret: env:PASSWORD`,
    `headgate.yaml:3:18: alerts.webhookSecret ${notASecret}`,
  ],
  [
    "a secret that is too short",
    `alerts:\n  ${url}\n  webhookSecret: env:SHORT`,
    `headgate.yaml:3:18: alerts.webhookSecret ${notASecret}`,
  ],
];

for (const [name, text, problem] of refused) {
  test(`refuses ${name}`, () => {
    const env = { HOOK: SECRET, PASSWORD: "hunter2hunter2hunter2hunter2hunter2", SHORT: "whsec_c2hvcnQ=" };
    assert.deepEqual(problemsOf(text, env), [problem]);
  });
}

test("refuses an address that could not be called, without quoting it", () => {
  for (const address of ["ops.example/hook", "ftp://ops.example", "https://user:pass@ops.example/", "https://a/#b"]) {
    const text = `alerts:\n  webhookUrl: ${JSON.stringify(address)}\n  webhookSecret: env:HOOK`;
    assert.deepEqual(problemsOf(text, { HOOK: SECRET }), [
      "headgate.yaml:2:15: alerts.webhookUrl must be an http:// or https:// address without user name and fragment.",
    ]);
  }
});

test("a complaint about what a variable sets names the variable", () => {
  const env = { HEADGATE_ALERTS_WEBHOOK_SECRET: "env:NOBODY", HEADGATE_ALERTS_WEBHOOK_URL: "https://ops.example/" };
  assert.deepEqual(problemsOf("", env), [
    "HEADGATE_ALERTS_WEBHOOK_SECRET: alerts.webhookSecret refers to the environment variable NOBODY, which is not set. Set NOBODY in the environment of the gateway.",
  ]);
});
