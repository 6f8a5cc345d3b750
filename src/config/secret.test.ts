import assert from "node:assert/strict";
import { test } from "node:test";
import { format, inspect } from "node:util";
import { fc } from "../../test/support/properties.ts";
import { checkConfig, type ConfigInput } from "./check.ts";
import { renderProblems } from "./file/problem.ts";
import { effectiveValues, renderEffectiveConfig } from "./render/effective.ts";
import { createSecret } from "./secret.ts";

/** Long enough not to be in any message by chance. */
const key = fc.stringMatching(/^[\x21-\x7e]{12,40}$/);

function input(text: string, env: ConfigInput["env"]): ConfigInput {
  return {
    file: { text, name: "headgate.yaml", path: "/etc/headgate.yaml" },
    env,
    flags: {},
    workingDirectory: "/srv",
    knownProviders: [
      { id: "openai", title: "OpenAI", environment: ["OPENAI_API_KEY"], baseUrl: "https://api.openai.com/v1" },
      { id: "groq", title: "Groq", environment: ["GROQ_API_KEY"], baseUrl: "https://api.groq.com/openai/v1" },
    ],
  };
}

test("a secret prints as [secret] in every way that JavaScript prints", () => {
  fc.assert(
    fc.property(key, (value) => {
      const secret = createSecret(value, "env:X");
      const holder = { deep: { list: [secret] } };
      const prints = [
        `${secret as unknown as string}`,
        "" + (secret as unknown as string),
        JSON.stringify(holder),
        inspect(holder, { depth: 9, showHidden: true }),
        inspect(secret, { customInspect: false, showHidden: true }),
        format("%s %o %j", secret, secret, secret),
        ([secret] as unknown[] as string[]).join(),
      ];
      for (const print of prints) assert.ok(!print.includes(value), print);
      assert.equal(JSON.stringify([secret]), '["[secret]"]');
      assert.equal(secret.reveal(), value);
    }),
  );
});

test("no rendering of a configuration contains a secret of it", () => {
  fc.assert(
    fc.property(key, key, key, (...drawn) => {
      // Named apart, so that none is a part of another, which may be printed.
      const [first = "", second = "", header = ""] = drawn.map((value, index) => `secret-${index}-${value}`);
      const text =
        "providers:\n  openai:\n    key: env:A\n    headers: {x-session-token: " + JSON.stringify(header) + "}\n";
      const checked = checkConfig(input(text, { A: first, GROQ_API_KEY: second }));
      assert.ok(checked.ok);
      const { loaded } = checked;
      const renderings = [
        renderEffectiveConfig(loaded),
        JSON.stringify(effectiveValues(loaded)),
        renderProblems(loaded.warnings),
      ];
      for (const print of renderings) {
        for (const secret of [first, second, header]) assert.ok(!print.includes(secret), print);
      }
      for (const print of [JSON.stringify(loaded.config), inspect(loaded, { depth: 9 })]) {
        for (const secret of [first, second]) assert.ok(!print.includes(secret), print);
      }
    }),
  );
});

test("no complaint repeats what was written where a key belongs", () => {
  const places = [
    (value: string) => `providers: {openai: {key: ${value}}}`,
    (value: string) => `providers:\n  openai:\n    credentials:\n      - {name: a, key: ${value}}`,
    (value: string) => `providers: {openai: ${value}}`,
    (value: string) => `providers: {openai: {credentials: [${value}]}}`,
    (value: string) => `providers: {openai: {headers: {authorization: ${value}}}}`,
    (value: string) => `providers: {openai: {baseUrl: ${JSON.stringify(`https://user:${value}@x/v1`)}}}`,
    (value: string) => `providers: {openai: {key: [${value}]}}`,
  ];
  fc.assert(
    fc.property(fc.constantFrom(...places), key, fc.boolean(), (place, value, quoted) => {
      const checked = checkConfig(
        input(place(quoted ? JSON.stringify(value) : value), { OPENAI_API_KEY: "other-key-x" }),
      );
      const told = checked.ok ? "" : renderProblems(checked.problems);
      assert.ok(!told.includes(value), told);
    }),
    { numRuns: 300 },
  );
});

test("the effective configuration names the reference of a secret and the source of each value", () => {
  const checked = checkConfig({
    ...input("server:\n  port: 4001\nmodels: {fast: {targets: [openai/x]}}\n", { OPENAI_API_KEY: "sk-1" }),
    flags: { logLevel: "warn" },
  });
  assert.ok(checked.ok);
  const lines = renderEffectiveConfig(checked.loaded).split("\n");
  const line = (path: string): string => lines.find((candidate) => candidate.startsWith(`${path} `)) ?? "";
  assert.match(line("server.port"), /^server\.port = 4001 +# headgate\.yaml:2$/);
  assert.match(line("server.host"), /^server\.host = "127\.0\.0\.1" +# default$/);
  assert.match(line("models.fast.targets[0].model"), /= "openai\/x" +# headgate\.yaml:3$/);
  assert.match(line("telemetry.logLevel"), /= "warn" +# --log-level$/);
  assert.match(
    line("providers.openai.credentials[0].key"),
    /^providers\.openai\.credentials\[0\]\.key = \[secret env:OPENAI_API_KEY\] +# OPENAI_API_KEY$/,
  );
});
