import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../test/support/properties.ts";
import { checkConfig, type ConfigCheck } from "./check.ts";
import { renderProblem, renderProblems } from "./file/problem.ts";
import type { KnownProvider } from "./known-provider.ts";

const knownProviders: readonly KnownProvider[] = [
  { id: "openai", title: "OpenAI", environment: ["OPENAI_API_KEY"], baseUrl: "https://api.openai.com/v1" },
  { id: "gemini", title: "Gemini", environment: ["GEMINI_API_KEY", "GOOGLE_API_KEY"], baseUrl: "https://g.example/v1" },
  { id: "azure", title: "Azure OpenAI", environment: ["AZURE_OPENAI_API_KEY"], baseUrl: null },
  { id: "ollama", title: "Ollama", environment: [], baseUrl: "http://127.0.0.1:11434/v1" },
  { id: "openai-compatible", title: "OpenAI-compatible", environment: [], baseUrl: null },
];

function check(text: string, env: Readonly<Record<string, string>> = {}): ConfigCheck {
  const file = { text, name: "headgate.yaml", path: "/etc/headgate/headgate.yaml" };
  return checkConfig({ file, env, flags: {}, workingDirectory: "/srv", knownProviders });
}

function problemsOf(text: string, env: Readonly<Record<string, string>> = {}): readonly string[] {
  const checked = check(text, env);
  return checked.ok ? [] : checked.problems.map(renderProblem);
}

const durationRule = (max: string): string => `${max}, or text with a unit (ms, s, m, h) such as 30s`;

/** File → what is told, whole. */
const badFiles: readonly (readonly [name: string, text: string, ...problems: readonly string[]])[] = [
  ["an unknown key", "server:\n  prot: 1", 'headgate.yaml:2:3: server.prot is not a known key. Did you mean "port"?'],
  [
    "an unknown key like no other",
    "storage:\n  zebra: 1",
    "headgate.yaml:2:3: storage.zebra is not a known key. Known here: dataDir, durability, postgres, postgresConnections.",
  ],
  ["an unknown section", "sever: {}", 'headgate.yaml:1:1: sever is not a known key. Did you mean "server"?'],
  [
    "a key written twice",
    "server:\n  port: 1\n  port: 2",
    "headgate.yaml:3:3: server.port is written twice, first on line 2. Keep one of them.",
  ],
  [
    "a number out of range",
    "server:\n  port: 65536",
    "headgate.yaml:2:9: server.port must be a whole number from 0 to 65535, not 65536.",
  ],
  [
    "a text for a number",
    'server: {port: "80"}',
    'headgate.yaml:1:16: server.port must be a whole number from 0 to 65535, not "80".',
  ],
  [
    "a duration without unit in text",
    'timeouts: {idleMs: "30"}',
    `headgate.yaml:1:20: timeouts.idleMs must be whole milliseconds from 1 to ${durationRule("86400000 (24h)")}, not "30".`,
  ],
  [
    "a duration beyond its range",
    "server: {headerTimeoutMs: 2h}",
    `headgate.yaml:1:27: server.headerTimeoutMs must be whole milliseconds from 100 to ${durationRule("3600000 (1h)")}, not "2h".`,
  ],
  [
    "a value that is not among the choices",
    "telemetry: {logLevel: wran}",
    'headgate.yaml:1:23: telemetry.logLevel must be "debug" or "info" or "warn" or "error" or "silent", not "wran". Did you mean "warn"?',
  ],
  [
    "a value left empty",
    "server:\n  port:",
    "headgate.yaml:2:8: server.port has no value. Give one, or leave the line out. It must be a whole number from 0 to 65535.",
  ],
  [
    "a value for a section",
    "server: 4000",
    "headgate.yaml:1:9: server must be a section of keys, each on a line with `key: value`.",
  ],
  [
    "a section for a value",
    "server: {port: {a: 1}}",
    "headgate.yaml:1:16: server.port must be a whole number from 0 to 65535, not a section.",
  ],
  [
    "a value for a list",
    "models: {fast: {targets: ollama/x}}\nproviders: {ollama: }",
    "headgate.yaml:1:26: models.fast.targets must be a list, each item on a line with `- `.",
  ],
  [
    "a list for the whole file",
    "- a",
    "headgate.yaml:1:1: must be a section of keys, each on a line with `key: value`.",
  ],
  [
    "an alias without targets",
    "models:\n  fast:",
    "headgate.yaml:2:3: models.fast.targets is missing. What serves the alias: chosen by `balance` among those that can serve the request. When one fails, another is tried.",
  ],
  [
    "an alias with an empty list of targets",
    "models: {fast: {targets: []}}",
    "headgate.yaml:1:26: models.fast.targets must have at least 1 item.",
  ],
  [
    "an alias with a slash",
    "providers: {ollama: }\nmodels:\n  a/b: {targets: [ollama/x]}",
    'headgate.yaml:3:3: models["a/b"] has a name that cannot be used. Use letters, digits, `.`, `_`, `:`, `@` and `-`, at most 128 (no `/`: names with one are always `provider/model`).',
  ],
  [
    "a target that is no provider/model",
    "models: {fast: {targets: [gpt-5]}}",
    'headgate.yaml:1:27: models.fast.targets[0].model must be the name of a model as provider/model, not "gpt-5".',
  ],
  [
    "a target at a misspelt provider",
    "providers: {ollama: }\nmodels: {fast: {targets: [{model: olama/x}]}}",
    'headgate.yaml:2:35: models.fast.targets[0].model names the provider "olama", which is not configured. Did you mean "ollama"?',
  ],
  [
    "a target at a provider of the catalogue that is not configured",
    "models: {fast: {targets: [openai/gpt-5]}}",
    'headgate.yaml:1:27: models.fast.targets[0].model names the provider "openai", which is not configured. Set OPENAI_API_KEY, or add `openai:` under `providers`.',
  ],
  [
    "a fallback at a provider that is not configured",
    "providers: {ollama: }\nmodels: {fast: {targets: [ollama/x], fallbacks: [olama/y]}}",
    'headgate.yaml:2:50: models.fast.fallbacks[0].model names the provider "olama", which is not configured. Did you mean "ollama"?',
  ],
  [
    "a fallback that is a target of the alias, too",
    "providers: {ollama: }\nmodels: {fast: {targets: [ollama/x], fallbacks: [ollama/x]}}",
    "headgate.yaml:2:50: models.fast.fallbacks[0].model names ollama/x, which the alias has already. Leave one of the two out.",
  ],
  [
    "an alias that nothing serves",
    "providers: {ollama: }\nmodels: {fast: {targets: [{model: ollama/x, weight: 0}]}}",
    "headgate.yaml:2:17: models.fast.targets all have weight 0, so that nothing serves the alias.",
  ],
  [
    "a semantic cache without a threshold and a model that compares",
    "providers: {ollama: }\nmodels:\n  faq:\n    targets: [ollama/x]\n    cache: {mode: semantic}",
    "headgate.yaml:5:19: models.faq.cache.mode is semantic, but there is no `threshold`. Set it to what `headgate cache evaluate` finds for pairs of your own prompts; there is no default.",
    "headgate.yaml:5:19: models.faq.cache.mode is semantic, but there is no `cache.embeddings`. Set it to a model that makes embeddings, as `provider/model` or an alias.",
  ],
  [
    "a model for embeddings that is not there",
    "providers: {ollama: }\nmodels: {vectors: {targets: [ollama/e]}}\ncache: {embeddings: vector}",
    'headgate.yaml:3:21: cache.embeddings names the alias "vector", which is not configured. Did you mean "vectors"?',
  ],
  [
    "a provider for embeddings that is not there",
    "providers: {ollama: }\ncache: {embeddings: openai/text-embedding-3-small}",
    'headgate.yaml:2:21: cache.embeddings names the provider "openai", which is not configured. Set OPENAI_API_KEY, or add `openai:` under `providers`.',
  ],
  [
    "a provider that is not in the catalogue",
    "providers:\n  mine: {key: env:MINE}",
    "headgate.yaml:2:3: providers.mine is not a provider of the catalogue and has no `kind`. For any other endpoint add `kind: openai-compatible` and `baseUrl`.",
    "headgate.yaml:2:15: providers.mine.key refers to the environment variable MINE, which is not set. Set MINE in the environment of the gateway.",
  ],
  [
    "a misspelt kind",
    "providers:\n  mine: {kind: openai-compatibel, baseUrl: http://x/v1}",
    'headgate.yaml:2:16: providers.mine.kind is not a known kind of provider: "openai-compatibel". Did you mean "openai-compatible"?',
  ],
  [
    "a provider name in capitals",
    "providers:\n  OpenAI: {kind: ollama}",
    "headgate.yaml:2:3: providers.OpenAI has a name that cannot be used. Use lower-case letters, digits, `.`, `_` and `-`, at most 64 (no `/`: it parts provider and model).",
  ],
  [
    "an endpoint without address",
    "providers:\n  mine: {kind: openai-compatible}",
    "headgate.yaml:2:3: providers.mine needs a `baseUrl`: OpenAI-compatible has no common address.",
  ],
  [
    "an address with a password in it, which is not repeated",
    "providers: {ollama: {baseUrl: 'http://me:hunter2@x/v1'}}",
    "headgate.yaml:1:31: providers.ollama.baseUrl must be an http:// or https:// address without user name, query and fragment.",
  ],
  [
    "a provider without key",
    "providers:\n  gemini:",
    "headgate.yaml:2:3: providers.gemini has no API key. Set GEMINI_API_KEY or GOOGLE_API_KEY, or write `key: env:NAME`.",
  ],
  [
    "a key written into the file, which is not repeated",
    "providers:\n  openai:\n    credentials:\n      - name: main\n        key: sk-hunter2",
    "headgate.yaml:5:14: providers.openai.credentials[0].key is a key written into the file itself; a key is only referred to. Put it into an environment variable and write `env:NAME`, or into a file of its own and write `file:PATH`.",
  ],
  [
    "a secret file that is not there",
    "providers: {openai: {key: file:keys/none}}",
    "headgate.yaml:1:27: providers.openai.key refers to the file /etc/headgate/keys/none, which cannot be read (ENOENT). Create it, or correct the path.",
  ],
  [
    "key and credentials at once, and a name twice",
    "providers:\n  openai:\n    key: env:A\n    credentials: [{name: a, key: env:A}, {name: a, key: env:A}]",
    "headgate.yaml:3:5: providers.openai.key stands beside `credentials`. Move it into the list, with a name.",
    "headgate.yaml:4:49: providers.openai.credentials[1].name is the name of another credential, too. Give each its own name.",
  ],
  [
    "headers that are not the operator's to set",
    "providers:\n  ollama:\n    headers: {Authorization: Bearer hunter2, host: x}",
    "headgate.yaml:3:15: providers.ollama.headers.Authorization is a header that carries a key. Write `key: env:NAME` in providers.ollama instead.",
    "headgate.yaml:3:46: providers.ollama.headers.host is a header that the gateway sets itself. Leave it out.",
  ],
  [
    "models that are listed twice, or lack what nobody asks for",
    "providers:\n  ollama:\n    models: [qwen, {name: qwen, contextTokens: 0}, {name: x, lacks: [image]}, {contextTokens: 1}]",
    "headgate.yaml:3:27: providers.ollama.models[1].name names qwen, which the list has already. Leave one of the two out.",
    "headgate.yaml:3:48: providers.ollama.models[1].contextTokens must be a whole number from 1 to 1000000000, not 0.",
    'headgate.yaml:3:70: providers.ollama.models[2].lacks[0] must be "tools" or "parallelTools" or "images" or "audio" or "documents" or "jsonSchema" or "reasoning" or "logprobs" or "choices", not "image". Did you mean "images"?',
    "headgate.yaml:3:79: providers.ollama.models[3].name is missing. The provider's own name of the model.",
  ],
  [
    "a price that cannot be exact",
    "providers: {ollama: }\nprices: {overrides: {ollama/x: {input: 0.0000000001, output: 1}}}",
    'headgate.yaml:2:40: prices.overrides["ollama/x"].input must be dollars from 0 to 1000000 with at most nine decimals, such as 2.5 or "0.075", not 1e-10.',
  ],
  [
    "numbers that would be rounded",
    "prices: {unknownModelHold: 2.00000000000000000001, overrides: {ollama/x: {input: 99999999999999999, output: 0.10}}}",
    "headgate.yaml:1:28: prices.unknownModelHold has more digits than a number can hold, and would be rounded. Write fewer digits.",
    'headgate.yaml:1:82: prices.overrides["ollama/x"].input has more digits than a number can hold, and would be rounded. Write fewer digits.',
    'headgate.yaml:1:82: prices.overrides["ollama/x"].input must be dollars from 0 to 1000000 with at most nine decimals, such as 2.5 or "0.075", not 100000000000000000.',
  ],
  [
    "prices that nobody asks",
    "providers: {ollama: }\nprices: {overrides: {ollama/x: {input: 10000000000000000, output: '1000000.000000001', longContext: [{input: 1000001}]}}}",
    'headgate.yaml:2:40: prices.overrides["ollama/x"].input must be dollars from 0 to 1000000 with at most nine decimals, such as 2.5 or "0.075", not 10000000000000000.',
    'headgate.yaml:2:67: prices.overrides["ollama/x"].output must be dollars from 0 to 1000000 with at most nine decimals, such as 2.5 or "0.075", not "1000000.000000001".',
    'headgate.yaml:2:110: prices.overrides["ollama/x"].longContext[0].input must be dollars from 0 to 1000000 with at most nine decimals, such as 2.5 or "0.075", not 1000001.',
  ],
  [
    "prices whose days do not exist or do not rise",
    "providers: {ollama: }\nprices:\n  overrides:\n    ollama/x:\n      {from: 2026-12-01, input: 1, output: 2, later: [{from: 2026-12-01, input: 1, output: 2}, {from: 2027-02-30, input: 1, output: 2}]}",
    'headgate.yaml:5:62: prices.overrides["ollama/x"].later[0].from is not after 2026-12-01, the day of the price before it. Put the prices in order of days.',
    'headgate.yaml:5:103: prices.overrides["ollama/x"].later[1].from is 2027-02-30, a day that does not exist.',
  ],
  [
    "thresholds of long inputs that do not rise",
    "providers: {ollama: }\nprices: {overrides: {ollama/x: {input: 1, output: 1, longContext: [{above: 200, input: 2}, {above: 100, input: 3}]}}}",
    'headgate.yaml:2:100: prices.overrides["ollama/x"].longContext[1].above is not above 200. Put the thresholds in rising order.',
  ],
  [
    "a currency without a value",
    "prices: {currency: {code: EUR}}",
    "headgate.yaml:1:10: prices.currency.perUsd is missing. Say what one dollar is worth in the currency.",
  ],
  [
    "a YAML alias",
    "server: &a {port: 1}\nstorage: *a",
    "headgate.yaml:2:10: storage is an alias (`*name`), which is not supported. Write the value out.",
  ],
  [
    "a key that objects cannot hold",
    "__proto__: {a: 1}",
    "headgate.yaml:1:1: has a key that cannot be used. Write plain text as the key.",
  ],
  ["a tab", "server:\n\tport: 1", "headgate.yaml:2:1: a tab is used for indentation; use spaces."],
  [
    "a quote left open",
    "server: {host: 'x}",
    "headgate.yaml:1:19: a closing quote, bracket, comma or the space after a colon is missing.",
  ],
];

const env = { A: "key-of-a" };

for (const [name, text, ...problems] of badFiles) {
  test(`refuses ${name}, saying where and what to do`, () => {
    assert.deepEqual(problemsOf(text, env), problems);
  });
}

test("tells all problems at once, of file and environment, in the order of the file", () => {
  const text =
    "telemetry: {logLevel: loud}\nserver:\n  prot: 1\n  host: a\n  host: b\nproviders: {mine: {}}\nmodels: {x: }";
  const places = problemsOf(text, { HEADGATE_PORT: "none" }).map((problem) => problem.split(" ")[1]);
  assert.deepEqual(places, [
    "telemetry.logLevel",
    "server.prot",
    "server.host",
    "providers.mine",
    "models.x.targets",
    "server.port",
  ]);
});

test("no text makes it throw", () => {
  const fragment = fc.constantFrom(
    "server:",
    "port: ",
    "- ",
    "{",
    "}",
    "[",
    "]",
    "\n",
    "  ",
    "*a",
    "&a",
    "!!x",
    "'",
    '"',
    "? ",
    "1",
    "%",
  );
  const text = fc.oneof(
    fc.string(),
    fc.array(fragment, { maxLength: 30 }).map((parts) => parts.join("")),
  );
  fc.assert(fc.property(text, (written) => assert.ok(typeof check(written).ok === "boolean")));
  assert.equal(check("[".repeat(50_000)).ok, false);
});

test("an empty file, empty sections and JSON are accepted", () => {
  for (const text of [
    "",
    "# nothing\n",
    "server:\nproviders:\nmodels:\nprices: {overrides: }\n",
    '{"server": {"port": 1}}',
  ]) {
    assert.deepEqual(problemsOf(text), [], text);
  }
});

test("an amount of dollars down to a nano-dollar may be a number, however that is written", () => {
  const dollars = (text: string): unknown => {
    const checked = check(`providers: {ollama: }\nprices: {overrides: {ollama/x: {input: ${text}, output: 1}}}`);
    return checked.ok ? checked.loaded.config.prices.overrides["ollama/x"]?.input : renderProblems(checked.problems);
  };
  assert.deepEqual(["0.000000001", "1e-9", "0.00000015", "0.000001", "2.50"].map(dollars), [
    "0.000000001",
    "0.000000001",
    "0.00000015",
    "0.000001",
    "2.5",
  ]);
});

test("a price for a provider that is not configured is a warning, not a refusal", () => {
  const checked = check("prices: {overrides: {groq/x: {input: 1, output: 2.50}}}");
  assert.ok(checked.ok);
  assert.equal(
    renderProblems(checked.loaded.warnings),
    'headgate.yaml:1:30: prices.overrides["groq/x"] is a price for the provider "groq", which is not configured. Add it under `providers`. Configured: none.',
  );
  const { input, output, cacheRead, later } = checked.loaded.config.prices.overrides["groq/x"] ?? {};
  assert.deepEqual({ input, output, cacheRead, later }, { input: "1", output: "2.5", cacheRead: null, later: [] });
});
