import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestCli } from "../../../test/support/cli.ts";
import { eventually } from "../../../test/support/eventually.ts";
import { startTestGateway } from "../../../test/support/gateway.ts";
import { startLocalServer } from "../../../test/support/local-server.ts";
import { createQuietCli, listModels, post, startReady } from "../../../test/support/serving.ts";
import { createVirtualClock } from "../../../test/support/virtual-clock.ts";
import type { Config } from "../../config/config.ts";
import { defaultProvider, withProvider } from "../../config/defaults.ts";
import { loadConfig } from "../../config/load.ts";
import { HeadgateError } from "../../kernel/errors.ts";
import { providerSpecs } from "../../providers/catalogue.ts";
import { followConfig } from "./follow-config.ts";

const messages = [{ role: "user", content: "hello" }];

function configure(cli: TestCli, text: string): void {
  writeFileSync(join(cli.folder, "headgate.yaml"), text);
}

function provider(name: string, baseUrl: string): string {
  return `  ${name}:\n    kind: openai-compatible\n    baseUrl: ${baseUrl}/v1\n    models: [thing]\n`;
}

function sendCompletion(response: ServerResponse): void {
  const choices = [{ index: 0, message: { role: "assistant", content: "Hello." }, finish_reason: "stop" }];
  const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 };
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ id: "chatcmpl-1", object: "chat.completion", model: "thing", choices, usage }));
}

test("SIGHUP puts a changed file in force, and keeps the old one when the new one is bad", async () => {
  using cli = createQuietCli();
  const { running, ready } = await startReady(cli);
  assert.ok((await listModels(ready)).includes("simulator/sim-chat"));
  const good = `providers:\n${provider("own", "http://127.0.0.1:9")}`;
  configure(cli, good);
  running.signal("SIGHUP");
  assert.deepEqual(await listModels(ready), ["own/thing"]);
  configure(cli, good.replace("baseUrl", "baseUrll"));
  running.signal("SIGHUP");
  assert.deepEqual(await listModels(ready), ["own/thing"]);
  running.signal("SIGTERM");
  assert.equal((await running.result).exitCode, 0);
});

test("a new alias serves the next request, while requests in flight end on the provider they began with", async () => {
  const arrived = Promise.withResolvers<() => void>();
  await using slow = await startLocalServer((_, response) => arrived.resolve(() => sendCompletion(response)));
  await using quick = await startLocalServer((_, response) => sendCompletion(response));
  using cli = createQuietCli();
  configure(cli, `providers:\n${provider("slow", slow.url)}models: {fast: {targets: [slow/thing]}}\n`);
  const { running, ready } = await startReady(cli);
  const ask = (): Promise<Response> =>
    post(`${ready.baseUrl}/chat/completions`, ready.apiKey, { model: "fast", messages });
  const first = ask();
  const release = await arrived.promise;

  configure(cli, `providers:\n${provider("quick", quick.url)}models: {fast: {targets: [quick/thing]}}\n`);
  running.signal("SIGHUP");
  const second = await ask();
  release();
  const models = [await first, second].map(({ status, headers }) => [status, headers.get("x-headgate-model")]);
  assert.deepEqual(models, [
    [200, "slow/thing"],
    [200, "quick/thing"],
  ]);
  running.signal("SIGTERM");
  await running.result;
});

test("a changed file takes effect without being asked to", async () => {
  using cli = createQuietCli();
  configure(cli, `providers:\n${provider("before", "http://127.0.0.1:9")}`);
  const { running, ready } = await startReady(cli);
  configure(cli, `providers:\n${provider("after", "http://127.0.0.1:9")}`);
  await eventually("the new provider's model", async () => (await listModels(ready)).includes("after/thing"));
  running.signal("SIGTERM");
  await running.result;
});

test("a configuration that the gateway cannot build is refused whole: gateway and source keep the old one", async () => {
  const folder = mkdtempSync(join(tmpdir(), "headgate-follow-"));
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "headgate.yaml");
  const load = { env: {}, flags: {}, workingDirectory: folder, knownProviders: providerSpecs };
  writeFileSync(file, "timeouts: {idleMs: 1s}");
  const initial = loadConfig(load);
  assert.ok(initial.ok);

  const told: string[] = [];
  const inForce: Config[] = [];
  let hangup = (): void => assert.fail("nobody listens for SIGHUP");
  const gateway = {
    telemetry: { lifecycle: (message: string) => told.push(message), warn: (message: string) => told.push(message) },
    replaceConfig(config: Config) {
      if (config.timeouts.idleMs === 2000) throw new HeadgateError("invalid_argument", "No snapshot can be built.");
      inForce.push(config);
    },
  };
  const process = {
    onSignal(_name: string, listener: () => void) {
      hangup = listener;
      return () => told.push("deaf");
    },
    onUnhandled: () => () => {},
  };
  const complete = (config: Config): Config => withProvider(config, "found", defaultProvider("ollama"));
  const following = cleanup.use(
    followConfig({ clock: createVirtualClock(), process }, gateway, { load, initial: initial.loaded, complete }),
  );
  writeFileSync(file, "timeouts: {idleMs: 2s}");
  hangup();
  assert.deepEqual(told, [`configuration refused, the old one stays in force\n${file}: No snapshot can be built.`]);
  writeFileSync(file, "timeouts: {idleMs: 3s}");
  hangup();
  assert.equal(told[1], "configuration reloaded");
  assert.deepEqual(
    inForce.map(({ timeouts, providers }) => [timeouts.idleMs, Object.keys(providers)]),
    [
      [1000, ["found"]],
      [3000, ["found"]],
    ],
  );
  await following[Symbol.asyncDispose]();
  assert.equal(told[2], "deaf");
});

test("a gateway refuses an unusable configuration and goes on with the one it has", async () => {
  await using scene = await startTestGateway();
  const before = scene.gateway.config;
  const homeless = withProvider(before, "homeless", defaultProvider("openai-compatible"));
  assert.throws(
    () => scene.gateway.replaceConfig(homeless),
    (error) => error instanceof HeadgateError && /providers\.homeless\.baseUrl/.test(error.message),
  );
  assert.equal(scene.gateway.config, before);
  const answer = await post(`${scene.url}/v1/chat/completions`, scene.key, { model: "sim-chat:tokens=3", messages });
  assert.equal(answer.status, 200);
});
