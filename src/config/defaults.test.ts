import assert from "node:assert/strict";
import { test } from "node:test";
import { checkConfig } from "./check.ts";
import { defaultConfig, defaultModel, defaultProvider, withProvider } from "./defaults.ts";
import { createSecret } from "./secret.ts";

test("the default configuration is what the loader makes of nothing", () => {
  const checked = checkConfig({ file: null, env: {}, flags: {}, workingDirectory: "/srv", knownProviders: [] });
  assert.ok(checked.ok);
  assert.deepEqual(checked.loaded.config, defaultConfig({ storage: { dataDir: "/srv/.headgate" } }));
});

test("overrides reach the leaves, complete providers and models, and keep secrets and lists whole", () => {
  const key = createSecret("k", "env:K");
  const config = defaultConfig({
    server: { port: 0 },
    providers: { openai: { credentials: [{ name: "a", key }] }, local: { kind: "openai-compatible" } },
    models: { fast: { targets: [{ model: "openai/x", weight: 1 }] } },
  });
  assert.equal(config.server.port, 0);
  assert.equal(config.server.host, "127.0.0.1");
  assert.deepEqual(config.providers["local"], defaultProvider("local", { kind: "openai-compatible" }));
  assert.equal(config.providers["openai"]?.kind, "openai");
  assert.equal(config.providers["openai"]?.credentials[0]?.key, key);
  assert.deepEqual(config.models["fast"], defaultModel({ targets: [{ model: "openai/x" }] }));
  assert.deepEqual(config.models["fast"]?.targets, [
    { model: "openai/x", weight: 1, tags: [], timeouts: {}, queue: {} },
  ]);
});

test("adding a provider leaves the snapshot it is added to as it was", () => {
  const before = defaultConfig();
  const after = withProvider(before, "simulator", defaultProvider("simulator"));
  assert.deepEqual(Object.keys(after.providers), ["simulator"]);
  assert.deepEqual(before.providers, {});
  assert.equal(after.server, before.server);
});
