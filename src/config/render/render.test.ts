import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "yaml";
import { z } from "zod";
import { checkConfig } from "../check.ts";
import { renderProblems } from "../file/problem.ts";
import { configFlags } from "../flags.ts";
import { settableOptions } from "../options/options.ts";
import { renderConfigSchema } from "./json-schema.ts";
import { renderConfigReference } from "./reference.ts";
import { renderStarterConfig } from "./starter.ts";

const knownProviders = [
  { id: "openai", title: "OpenAI", environment: ["OPENAI_API_KEY"], baseUrl: "https://api.openai.com/v1" },
  { id: "openai-compatible", title: "OpenAI-compatible", environment: [], baseUrl: null },
];

function problems(text: string): string {
  const checked = checkConfig({
    file: { text, name: "headgate.yaml", path: "/etc/headgate.yaml" },
    env: { OPENAI_API_KEY: "sk-1" },
    flags: {},
    workingDirectory: "/srv",
    knownProviders,
  });
  return checked.ok ? renderProblems(checked.loaded.warnings) : renderProblems(checked.problems);
}

const starter = renderStarterConfig({
  schema: "./schema/config.schema.json",
  providers: [{ name: "openai", variable: "OPENAI_API_KEY" }],
});

/** Files that the loader accepts. */
const accepted = [
  starter,
  "server:\nproviders:\nmodels:\n",
  "$schema: ./config.schema.json\nserver: {port: 0, headerTimeoutMs: 10 s}\nlimits: {bodyBytes: 1.5MiB, headerBytes: 4096}",
  "providers: {openai: , local: {kind: openai-compatible, baseUrl: 'http://x/v1', timeouts: {idleMs: 5s}, models: [a]}}",
  "providers: {local: {kind: openai-compatible, baseUrl: 'http://x/v1', models: [a, {name: b, contextTokens: 8192, maxOutputTokens: 1, lacks: [images]}]}}",
  "models: {fast: {targets: [openai/a, {model: openai/b, weight: 0.5}], timeouts: {totalMs: 1h}}}",
  'prices: {overrides: {openai/a: {input: 1.25, output: "0.075"}}}',
  "prices: {overrides: {openai/a: {input: 0.000000001, output: 1.5e-7}}}",
];

/** Files that loader and schema refuse. */
const refused = [
  "sever: {}",
  "server: {port: 70000}",
  "timeouts: {idleMs: 30 parsecs}",
  "providers: {openai: {key: sk-1}}",
  "models: {fast: {}}",
  "models: {fast: {targets: [{weight: 1}]}}",
  "models: {a/b: {targets: [openai/a]}}",
  "telemetry: {logLevel: loud}",
  "providers: {openai: {models: [{contextTokens: 1}]}}",
  "providers: {openai: {models: [{name: a, lacks: [image]}]}}",
];

const schema = z.fromJSONSchema(JSON.parse(renderConfigSchema()) as Parameters<typeof z.fromJSONSchema>[0]);

test("the JSON Schema accepts what the loader accepts", () => {
  for (const text of accepted) {
    assert.equal(problems(text), "", text);
    assert.deepEqual(schema.safeParse(parse(text)).error?.issues, undefined, text);
  }
});

test("the JSON Schema refuses what the loader refuses by its own schema", () => {
  for (const text of refused) {
    assert.notEqual(problems(text), "", text);
    assert.equal(schema.safeParse(parse(text)).success, false, text);
  }
});

test("the JSON Schema carries explanations and defaults for editors", () => {
  const { properties } = JSON.parse(renderConfigSchema()) as {
    properties: Record<string, { properties: Record<string, unknown> }>;
  };
  for (const { path, option } of settableOptions()) {
    const [section = "", name = ""] = path.split(".");
    const shown = properties[section]?.properties[name] as { description: string; default: unknown };
    assert.deepEqual([shown.description, shown.default ?? null], [option.doc, option.default], path);
  }
});

test("the reference page has every option with its default, variable and flag", () => {
  const page = renderConfigReference();
  for (const { path, env, flag, option } of settableOptions()) {
    const entry = page.slice(page.indexOf(`- **\`${path}\`**: ${option.doc}\n`));
    const details = entry.split("\n")[1] ?? "";
    const absence = option.default === null ? `Absent: ${option.absent}` : `Default: \`${option.default}\``;
    assert.ok(details.includes(absence), path);
    assert.ok(details.includes(`\`${env}\``), path);
    assert.equal(details.includes("`--"), flag !== null, path);
  }
  for (const path of ["providers.<provider>.key", "models.<alias>.targets[].model", "providers.<provider>.timeouts"]) {
    assert.ok(page.includes(`- **\`${path}\`**`), path);
  }
});

test("the starter file leads editors to the schema and sets only what was asked for", () => {
  assert.ok(starter.startsWith("# yaml-language-server: $schema=./schema/config.schema.json\n"));
  assert.deepEqual(parse(starter), {
    server: null,
    storage: null,
    providers: { openai: { key: "env:OPENAI_API_KEY" } },
    models: null,
    telemetry: null,
  });
});

test("the starter file is still valid with all its examples uncommented", () => {
  const text = starter.replace(/^( *)#(?! \S)/gm, "$1");
  assert.deepEqual(parse(text).server, { host: "127.0.0.1", port: 4000 });
  const told = problems(text);
  assert.match(
    told,
    /^headgate\.yaml:\d+:\d+: models\.shared\.targets\[1\]\.model names the provider "anthropic", which is not configured\./,
  );
  assert.equal(told.split("\n").length, 1);
});

test("flags are declared as the loader reads them", () => {
  const port = configFlags().find((flag) => flag.attribute === "port");
  assert.equal(port?.flag, "--port <number>");
  assert.equal(port?.env, "HEADGATE_PORT");
  assert.equal(port?.path, "server.port");
  assert.equal(port?.default, "4000");
  assert.deepEqual(
    configFlags().map((flag) => flag.attribute),
    ["config", "host", "port", "dataDir", "durability", "logLevel", "logFormat"],
  );
});
