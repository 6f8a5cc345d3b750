import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";
import { createTestCli } from "../../../test/support/cli.ts";
import { openTestPostgres, postgresMissing } from "../../../test/support/postgres.ts";
import { startPostgresProxy } from "../../../test/support/postgres/proxy.ts";
import { createQuietCli, post, startReady } from "../../../test/support/serving.ts";
import { createVirtualClock } from "../../../test/support/virtual-clock.ts";
import { createSystemClock } from "../../kernel/clock.ts";
import { chooseExampleModel } from "./example-model.ts";
import { awaitStop } from "./stopping.ts";
import { defaultConfig, listedModel } from "../../config/defaults.ts";

const ask = { model: "simulator/sim-chat:tokens=5,ttft=0,rate=10000", messages: [{ role: "user", content: "hello" }] };

test("the first start prints a key that works, the second says how to make another", async () => {
  using cli = createQuietCli();
  const first = await startReady(cli);
  assert.match(first.ready.apiKey ?? "", /^hg-\w{43}$/);
  assert.equal(first.ready.baseUrl, `${first.ready.url}/v1`);
  assert.equal(first.ready.simulated, true);
  const answer = await post(`${first.ready.baseUrl}/chat/completions`, first.ready.apiKey, ask);
  assert.equal(answer.status, 200);
  await answer.text();
  first.running.signal("SIGTERM");
  const { exitCode, stderr } = await first.running.result;
  assert.equal(exitCode, 0);
  assert.equal(stderr, "");

  const second = await startReady(cli);
  assert.equal(second.ready.apiKey, null);
  const again = await post(`${second.ready.baseUrl}/chat/completions`, first.ready.apiKey, ask);
  assert.equal(again.status, 200);
  await again.text();
  second.running.signal("SIGINT");
  assert.equal((await second.running.result).exitCode, 0);
  const { total } = await cli.json<{ total: { requests: number } }>("usage");
  assert.equal(total.requests, 2);
});

test("a machine that has run before starts without the database that it shares, and serves", async (context) => {
  if (postgresMissing !== false) return context.skip(postgresMissing);
  await using database = await openTestPostgres();
  await using proxy = await startPostgresProxy(database.url);
  using cli = createQuietCli({ env: { HEADGATE_POSTGRES_URL: proxy.url } });
  const first = await startReady(cli);
  first.running.signal("SIGTERM");
  await first.running.result;
  proxy.leave();
  const { running, ready } = await startReady(cli);
  const answer = await post(`${ready.baseUrl}/chat/completions`, first.ready.apiKey, ask);
  assert.equal(answer.status, 200);
  await answer.text();
  proxy.comeBack();
  running.signal("SIGTERM");
  assert.equal((await running.result).exitCode, 0);
});

test("a person is shown base URL, key and a curl line for a model that exists, and that it is a simulator", async () => {
  using cli = createQuietCli();
  const running = cli.start("serve", "--port", "0");
  const text = await running.ready;
  const url = /Base URL {3}(http:\/\/127\.0\.0\.1:\d+)\/v1\n/.exec(text)?.[1];
  const key = /API key {4}(hg-\w{43})\n/.exec(text)?.[1];
  assert.ok(url !== undefined && key !== undefined, text);
  assert.match(text, /the built-in SIMULATOR: no provider is configured, so no real model answers\./);
  assert.ok(text.includes(`curl -N ${url}/v1/chat/completions -H "authorization: Bearer ${key}"`));
  const body = /-d '(\{.*\})'/.exec(text)?.[1] ?? "";
  const answer = await post(`${url}/v1/chat/completions`, key, JSON.parse(body) as object);
  assert.match(await answer.text(), /data: \[DONE\]\n\n$/);
  running.signal("SIGINT");
  const { exitCode, stderr } = await running.result;
  assert.equal(exitCode, 0);
  assert.equal(stderr, "SIGINT: finishing requests in flight. Again to stop at once.\n");
});

test("a port that is taken is told with what to do", async () => {
  using cli = createQuietCli();
  const other = createServer();
  await once(other.listen(0, "127.0.0.1"), "listening");
  const { port } = other.address() as { port: number };
  const { exitCode, stdout, stderr } = await cli.run("serve", "--port", String(port));
  await once(other.close(), "close");
  assert.equal(exitCode, 1);
  assert.equal(stdout, "");
  assert.equal(
    stderr,
    `Error: Port ${port} on 127.0.0.1 is in use by another process. Stop it, or choose another port with --port or HEADGATE_PORT; 0 takes any free one.\n`,
  );
});

test("an exception that nobody handled is logged, and ends the process with exit code 1 after settling", async () => {
  using cli = createQuietCli();
  const { running, ready } = await startReady(cli);
  running.crash(new Error("nobody saw this coming"));
  assert.equal((await running.result).exitCode, 1);
  await assert.rejects(fetch(ready.url), "the gateway no longer listens");
});

test("a second signal ends what is still running, honestly, and the exit code is 130", async () => {
  const system = createSystemClock();
  let aheadMs = 0;
  const clock = { ...system, monotonicMs: () => system.monotonicMs() + aheadMs };
  using cli = createQuietCli({ clock });
  const { running, ready } = await startReady(cli);
  const endless = { ...ask, model: "simulator/sim-chat:tokens=10000,ttft=0,rate=1", stream: true };
  const answer = await post(`${ready.baseUrl}/chat/completions`, ready.apiKey, endless);
  assert.equal(answer.status, 200);
  running.signal("SIGTERM");
  aheadMs = 1000;
  running.signal("SIGTERM");
  const { exitCode, stderr } = await running.result;
  assert.equal(exitCode, 130);
  assert.equal((JSON.parse(stderr) as { error: { code: string } }).error.code, "interrupted");
  const text = await answer.text();
  assert.match(text, /"code":"shutting_down"/);
  assert.doesNotMatch(text, /\[DONE\]/);
  const { requests } = await cli.json<{ requests: { ending: string }[] }>("requests");
  assert.equal(requests[0]?.ending, "shutdown");
});

test("one press of Ctrl-C that arrives twice is one request to stop, a later one means at once", async () => {
  const clock = createVirtualClock();
  const listeners = new Map<string, () => void>();
  const process = {
    onSignal: (name: string, listener: () => void) => {
      listeners.set(name, listener);
      return () => void listeners.delete(name);
    },
    onUnhandled: () => () => {},
  };
  using stop = awaitStop({ clock, process });
  let atOnce = false;
  void stop.second.then(() => {
    atOnce = true;
  });
  listeners.get("SIGINT")?.();
  clock.advance(20);
  listeners.get("SIGINT")?.();
  assert.deepEqual(await stop.first, { kind: "signal", signal: "SIGINT" });
  assert.equal(atOnce, false);
  clock.advance(1000);
  listeners.get("SIGTERM")?.();
  await stop.second;
  assert.equal(atOnce, true);
  stop[Symbol.dispose]();
  assert.equal(listeners.size, 0);
});

test("the example model is an alias first, then a known one of the first provider that chats", () => {
  const own = { kind: "openai-compatible", baseUrl: "http://127.0.0.1:9/v1" };
  assert.equal(chooseExampleModel(defaultConfig({})), null);
  assert.equal(chooseExampleModel(defaultConfig({ providers: { own } })), null);
  assert.equal(
    chooseExampleModel(defaultConfig({ providers: { own: { ...own, models: [listedModel("thing")] } } })),
    "own/thing",
  );
  const openai = defaultConfig({ providers: { own, openai: {} } });
  assert.equal(chooseExampleModel(openai), "openai/gpt-5-mini");
  assert.equal(chooseExampleModel({ ...openai, models: defaultConfig({ models: { fast: {} } }).models }), "fast");
});

test("every model that can be the example is in the price catalogue of its provider", async () => {
  const { loadPriceCatalogue } = await import("../../accounting/prices/catalogue.ts");
  const { providerSpecs } = await import("../../providers/catalogue.ts");
  const catalogue = loadPriceCatalogue();
  for (const { id, priceList } of providerSpecs) {
    const name = chooseExampleModel(defaultConfig({ providers: { [id]: { baseUrl: "http://127.0.0.1:9/v1" } } }));
    if (name === null || priceList === null) continue;
    assert.ok(catalogue.find(priceList, name.slice(id.length + 1)), name);
  }
});

test("sim runs a simulator of its own until it is told to stop", async () => {
  using cli = createTestCli();
  const running = cli.start("sim", "--port", "0", "--seed", "7", "--json");
  const ready = JSON.parse(await running.ready) as { url: string; baseUrl: string; seed: number; models: string[] };
  assert.equal(ready.seed, 7);
  assert.ok(ready.models.includes("sim-chat"));
  const answer = await post(`${ready.baseUrl}/chat/completions`, "any", { ...ask, model: "sim-chat:tokens=3" });
  assert.equal(answer.status, 200);
  await answer.text();
  running.signal("SIGINT");
  assert.equal((await running.result).exitCode, 0);
});

test("sim tells a person its URL, a curl line and how to point a gateway at it; a bad script is refused", async () => {
  using cli = createTestCli();
  const running = cli.start("sim", "--port", "0");
  const text = await running.ready;
  assert.match(text, /^The simulator listens at http:\/\/127\.0\.0\.1:\d+\/v1 /);
  assert.match(text, /curl -N http/);
  assert.match(text, /providers:\n {4}simulator:\n {6}baseUrl: http/);
  running.signal("SIGTERM");
  await running.result;
  const { exitCode, stderr } = await cli.run("sim", "--port", "0", "--script", "tokens=many");
  assert.equal(exitCode, 2);
  assert.match(stderr, /^Error: --script: /);
});
