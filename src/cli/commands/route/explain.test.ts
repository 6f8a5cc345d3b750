import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createTestCli, type TestCli } from "../../../../test/support/cli.ts";
import type { RouteExplanation } from "../../../routing/explanation.ts";

const configuration = `
providers:
  openai: { tags: [us] }
  anthropic:
  box: { kind: vllm, tags: [eu, no-retention] }
models:
  fast:
    targets:
      - { model: openai/gpt-4o, weight: 3 }
      - { model: anthropic/claude-sonnet-4-5, tags: [eu], timeouts: { firstTokenMs: 90s } }
      - { model: box/qwen, weight: 0 }
    fallbacks: [box/llama]
    timeouts: { totalMs: 5m }
    hedge: { mode: on, afterMs: 2s }
`;

function createConfigured(): TestCli {
  const cli = createTestCli({ env: { OPENAI_API_KEY: "sk-a", ANTHROPIC_API_KEY: "sk-b" } });
  writeFileSync(join(cli.folder, "headgate.yaml"), configuration);
  return cli;
}

function writeRequest(cli: TestCli, request: unknown): string {
  writeFileSync(join(cli.folder, "request.json"), typeof request === "string" ? request : JSON.stringify(request));
  return "request.json";
}

test("route explain shows who would be tried, who is left out and why, and the policy", async () => {
  using cli = createConfigured();
  const { exitCode, stdout } = await cli.run("route", "explain", "fast");
  assert.equal(exitCode, 0);
  assert.match(stdout, /^fast: chat in openai-chat, about \d+ tokens of input, no bound on output\n/);
  assert.match(stdout, /Drawn by weight for each request/);
  assert.match(stdout, /\n +1 +openai\/gpt-4o +75 % +openai-chat +128,000 +16,384 +us\n/);
  assert.match(stdout, /\n +2 +anthropic\/claude-sonnet-4-5 +25 % +anthropic-messages \(translated\) /);
  assert.match(stdout, /\n +3 +box\/llama +fallback /);
  assert.match(stdout, /Left out:\n  box\/qwen takes no requests, for its weight is 0\.\n/);
  assert.match(stdout, /\nanthropic\/claude-sonnet-4-5 .* 90s .* 5m\n/);
  assert.match(stdout, /\nHedge: after 2s\n/);
});

test("what the configuration says of a model counts, and is shown", async () => {
  using cli = createTestCli();
  const models = "models: [{name: blind, contextTokens: 8192, maxOutputTokens: 1000, lacks: [images]}, seeing]";
  const text = `providers: {box: {kind: vllm, ${models}}}\nmodels: {fast: {targets: [box/blind, box/seeing]}}\n`;
  writeFileSync(join(cli.folder, "headgate.yaml"), text);
  assert.match((await cli.run("route", "explain", "fast")).stdout, /box\/blind +50 % +openai-chat +8,192 +1,000/);
  const picture = { type: "image_url", image_url: { url: "https://example.com/a.png" } };
  const file = writeRequest(cli, { model: "m", messages: [{ role: "user", content: [picture] }] });
  const { stdout } = await cli.run("route", "explain", "fast", "--request", file);
  assert.match(stdout, /\n +1 +box\/seeing [^]*Left out:\n  box\/blind does not support image input\.\n/);
  const long = writeRequest(cli, { model: "m", messages: [{ role: "user", content: "a word ".repeat(30_000) }] });
  const { targets } = await cli.json<RouteExplanation>("route", "explain", "fast", "--request", long);
  assert.deepEqual(
    targets.map(({ name, place, reasons }) => [name, place, reasons.map(({ kind }) => kind)]),
    [
      ["box/seeing", 1, []],
      ["box/blind", null, ["context"]],
    ],
  );
  const { models: listed } = await cli.json<{ models: { id: string; contextTokens: number | null }[] }>(
    "models",
    "box",
  );
  assert.deepEqual(
    listed.map(({ id, contextTokens }) => [id, contextTokens]),
    [
      ["box/blind", 8192],
      ["box/seeing", null],
    ],
  );
});

test("a request from a file is explained as it stands, with the model asked about", async () => {
  using cli = createConfigured();
  const file = writeRequest(cli, {
    model: "whatever",
    n: 2,
    max_tokens: 20_000,
    messages: [{ role: "user", content: "Hi" }],
  });
  const explained = await cli.json<RouteExplanation>("route", "explain", "fast", "--request", file);
  assert.equal(explained.model, "fast");
  assert.equal(explained.maxOutputTokens, 20_000);
  const told = explained.targets.map(({ name, place, reasons }) => [name, place, reasons.map(({ kind }) => kind)]);
  assert.deepEqual(told, [
    ["box/llama", 1, []],
    ["openai/gpt-4o", null, ["output"]],
    ["anthropic/claude-sonnet-4-5", null, ["dialect"]],
    ["box/qwen", null, ["weight"]],
  ]);
});

test("tags that nobody has make a refusal, which the exit code tells, too", async () => {
  using cli = createConfigured();
  const strict = await cli.json<RouteExplanation>("route", "explain", "fast", "--tags", "eu,no-retention");
  assert.deepEqual(
    strict.targets.filter(({ place }) => place !== null).map(({ name }) => name),
    ["box/llama"],
  );
  const { exitCode, stdout } = await cli.run("route", "explain", "fast", "--tags", "eu,us");
  assert.equal(exitCode, 5);
  assert.match(stdout, /\nRefused with unsupported_capability\. No target of model "fast" can serve this request: /);
  assert.match(stdout, /  box\/llama lacks the tag us\.\n/);
});

test("the dialect of the request may be another one", async () => {
  using cli = createConfigured();
  const { exitCode, stdout } = await cli.run(
    "route",
    "explain",
    "anthropic/claude-x",
    "--dialect",
    "openai-embeddings",
  );
  assert.equal(exitCode, 5);
  assert.match(stdout, /anthropic\/claude-x does not serve embeddings/);
});

test("a request of the Messages API is read as one, and only if that is said", async () => {
  using cli = createConfigured();
  const image = { type: "image", source: { type: "url", url: "https://example.com/a.png" } };
  const messages = [{ role: "user", content: [image] }];
  const file = writeRequest(cli, { model: "m", max_tokens: 1_000, top_k: 5, messages });
  const explain = ["route", "explain", "fast", "--request", file] as const;
  const explained = await cli.json<RouteExplanation>(...explain, "--dialect", "anthropic-messages");
  assert.deepEqual([explained.dialect, explained.needs], ["anthropic-messages", ["image input"]]);
  const claude = explained.targets.find(({ name }) => name.startsWith("anthropic/"));
  assert.deepEqual([claude?.isTranslated, claude?.place === null], [false, false]);
  const asChat = await cli.json<RouteExplanation>(...explain);
  assert.deepEqual([asChat.dialect, asChat.needs], ["openai-chat", []]);
});

test("what cannot be explained is refused with what to do", async () => {
  using cli = createConfigured();
  const unknown = await cli.run("route", "explain", "fats");
  assert.equal(unknown.exitCode, 4);
  assert.match(unknown.stderr, /Did you mean fast\?/);
  const missing = await cli.run("route", "explain", "fast", "--request", "none.json");
  assert.equal(missing.exitCode, 1);
  assert.match(missing.stderr, /none\.json cannot be read\. There is no such file\./);
  const broken = await cli.run("route", "explain", "fast", "--request", writeRequest(cli, "{"));
  assert.equal(broken.exitCode, 2);
  assert.match(broken.stderr, /request\.json is no request of the dialect openai-chat: .* give --dialect\./);
  const wrong = await cli.run("route", "explain", "fast", "--request", writeRequest(cli, { messages: [] }));
  assert.match(wrong.stderr, /messages must be an array with at least one message/);
  const tags = await cli.run("route", "explain", "fast", "--tags", "EU!");
  assert.equal(tags.exitCode, 2);
});

test("models shows where an alias leads, fallbacks as well", async () => {
  using cli = createConfigured();
  const { stdout } = await cli.run("models", "fast");
  assert.match(stdout, /openai\/gpt-4o, anthropic\/claude-sonnet-4-5, box\/qwen, else box\/llama/);
});

test("without any provider the simulator is explained, and said to stand in", async () => {
  using cli = createTestCli();
  const { exitCode, stdout, stderr } = await cli.run("route", "explain", "simulator/sim-chat");
  assert.equal(exitCode, 0);
  assert.match(stdout, /simulator\/sim-chat/);
  assert.match(stderr, /answers with a simulator/);
});
