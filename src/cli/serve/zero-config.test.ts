import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type LocalServer, startLocalServer } from "../../../test/support/local-server.ts";
import { createQuietCli, listModels, post, startReady } from "../../../test/support/serving.ts";
import { defaultConfig, listedModel } from "../../config/defaults.ts";
import { addFoundProviders } from "./zero-config.ts";

const completion = {
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1,
  model: "qwen3",
  choices: [{ index: 0, message: { role: "assistant", content: "Hello from here." }, finish_reason: "stop" }],
  usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 },
};
const messages = [{ role: "user", content: "hello" }];

/** Has one model, `qwen3`, and answers everything with the same. */
function startOllama(): Promise<LocalServer> {
  const list = { object: "list", data: [{ id: "qwen3", object: "model" }] };
  return startLocalServer((request, response) => {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(request.method === "GET" ? list : completion));
  });
}

test("an Ollama that runs here answers where nothing is configured, and no simulator is started", async () => {
  await using ollama = await startOllama();
  using cli = createQuietCli({ env: { OLLAMA_HOST: ollama.host } });
  const { running, ready } = await startReady(cli);
  assert.equal(ready.simulated, false);
  assert.equal(ready.model, "ollama/qwen3");
  assert.deepEqual(await listModels(ready), ["ollama/qwen3"]);
  const answer = await post(`${ready.baseUrl}/chat/completions`, ready.apiKey, { model: ready.model, messages });
  assert.deepEqual(await answer.json(), completion);
  running.signal("SIGTERM");
  assert.equal((await running.result).exitCode, 0);
});

test("an Ollama that runs here stands after the providers that have a key", async () => {
  await using ollama = await startOllama();
  using cli = createQuietCli({ env: { OLLAMA_HOST: ollama.host, OPENAI_API_KEY: "sk-test-not-a-key" } });
  const { running, ready } = await startReady(cli);
  assert.equal(ready.simulated, false);
  const models = await listModels(ready);
  assert.equal(models[0]?.startsWith("openai/"), true);
  assert.equal(models.at(-1), "ollama/qwen3");
  running.signal("SIGTERM");
  await running.result;
});

test("headgate models lists what a gateway started here would have", async () => {
  await using ollama = await startOllama();
  using cli = createQuietCli({ env: { OLLAMA_HOST: ollama.host } });
  const { models } = await cli.json<{ models: { id: string }[] }>("models");
  assert.deepEqual(
    models.map(({ id }) => id),
    ["ollama/qwen3"],
  );
});

test("a configured Ollama is the only one", async () => {
  await using ollama = await startOllama();
  for (const provider of ["ollama: {models: [mine]}", "gpu-box: {kind: ollama, models: [mine]}"]) {
    using cli = createQuietCli({ env: { OLLAMA_HOST: ollama.host } });
    writeFileSync(join(cli.folder, "headgate.yaml"), `providers:\n  ${provider}\n`);
    const { running, ready } = await startReady(cli);
    assert.deepEqual(await listModels(ready), [`${provider.split(":", 1)[0]}/mine`]);
    running.signal("SIGTERM");
    await running.result;
  }
});

test("with nothing at all the simulator answers in both dialects, under its own name", async () => {
  using cli = createQuietCli();
  const { running, ready } = await startReady(cli);
  assert.equal(ready.simulated, true);
  for (const model of ["simulator/sim-chat", "simulator-anthropic/sim-claude"]) {
    const asked = { model: `${model}:tokens=3,ttft=0,rate=10000`, messages, stream: true };
    const answer = await post(`${ready.baseUrl}/chat/completions`, ready.apiKey, asked);
    assert.equal(answer.headers.get("x-headgate-provider"), model.split("/", 1)[0]);
    assert.match(await answer.text(), /data: \[DONE\]\n\n$/);
  }
  running.signal("SIGTERM");
  await running.result;
});

test("what was found is added to every configuration that leaves room for it", () => {
  const ollama = { baseUrl: "http://127.0.0.1:11434/v1", models: ["qwen3"] };
  const bare = defaultConfig();
  const own = defaultConfig({ providers: { openai: {} } });
  const names = (config: typeof bare): readonly string[] => Object.keys(config.providers);
  const found = { ollama, simulatorUrl: null };
  assert.deepEqual(names(addFoundProviders(own, found)), ["openai", "ollama"]);
  const configured = defaultConfig({ providers: { ollama: { models: [listedModel("mine")] } } });
  assert.equal(addFoundProviders(configured, found), configured);
  const simulated = { ollama: null, simulatorUrl: "http://127.0.0.1:9" };
  assert.deepEqual(names(addFoundProviders(bare, simulated)), ["simulator", "simulator-anthropic"]);
  assert.equal(addFoundProviders(own, simulated), own);
  assert.equal(addFoundProviders(bare, { ollama: null, simulatorUrl: null }), bare);
});
