import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import type { LoadedConfig } from "./check.ts";
import { renderProblems } from "./file/problem.ts";
import type { KnownProvider } from "./known-provider.ts";
import { loadConfig, type LoadOptions } from "./load.ts";

const knownProviders: readonly KnownProvider[] = [
  { id: "openai", title: "OpenAI", environment: ["OPENAI_API_KEY"], baseUrl: "https://api.openai.com/v1" },
  { id: "gemini", title: "Gemini", environment: ["GEMINI_API_KEY", "GOOGLE_API_KEY"], baseUrl: "https://g.example/v1" },
  { id: "azure", title: "Azure OpenAI", environment: ["AZURE_OPENAI_API_KEY"], baseUrl: null },
  { id: "ollama", title: "Ollama", environment: [], baseUrl: "http://127.0.0.1:11434/v1" },
];

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "headgate-config-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

type Given = { readonly [Key in "env" | "flags"]?: LoadOptions[Key] };

function load(given: Given = {}): ReturnType<typeof loadConfig> {
  return loadConfig({ env: {}, flags: {}, workingDirectory: folder, knownProviders, ...given });
}

function loaded(given: Given = {}): LoadedConfig {
  const checked = load(given);
  assert.ok(checked.ok, checked.ok ? "" : renderProblems(checked.problems));
  return checked.loaded;
}

function problems(given: Given = {}): string {
  const checked = load(given);
  return checked.ok ? "" : renderProblems(checked.problems);
}

function write(name: string, text: string): string {
  const path = join(folder, name);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

test("a flag wins over a variable, a variable over the file, the file over the default", () => {
  assert.equal(loaded().config.server.port, 4000);
  write("headgate.yaml", "server: {port: 1}\n");
  assert.equal(loaded().config.server.port, 1);
  assert.equal(loaded({ env: { HEADGATE_PORT: "2" } }).config.server.port, 2);
  const all = loaded({ env: { HEADGATE_PORT: "2" }, flags: { port: "3" } });
  assert.equal(all.config.server.port, 3);
  assert.equal(all.origins.get("server.port"), "--port");
});

test("an empty variable sets nothing", () => {
  assert.equal(loaded({ env: { HEADGATE_PORT: "", OPENAI_API_KEY: "" } }).config.server.port, 4000);
});

test("variables and flags take durations and sizes as the file does", () => {
  const { config } = loaded({ env: { HEADGATE_TIMEOUTS_IDLE_MS: "5s", HEADGATE_LIMITS_BODY_BYTES: "4096" } });
  assert.equal(config.timeouts.idleMs, 5000);
  assert.equal(config.limits.bodyBytes, 4096);
});

test("a bad variable or flag is a problem that names it", () => {
  assert.equal(
    problems({ env: { HEADGATE_PORT: "high" }, flags: { durability: "none" } }),
    'HEADGATE_PORT: server.port must be a whole number from 0 to 65535, not "high".\n' +
      '--durability: storage.durability must be "process" or "power", not "none".',
  );
});

test("the address that Kubernetes puts into HEADGATE_PORT is passed over with a warning", () => {
  const { config, warnings } = loaded({
    env: { HEADGATE_PORT: "tcp://10.0.0.7:80", HEADGATE_SERVICE_HOST: "10.0.0.7" },
  });
  assert.equal(config.server.port, 4000);
  assert.equal(warnings.length, 1);
  assert.match(
    renderProblems(warnings),
    /^HEADGATE_PORT: server.port is not set by it: .* `enableServiceLinks: false`/,
  );
});

test("a misspelt variable is a warning with the right name", () => {
  assert.equal(
    renderProblems(loaded({ env: { HEADGATE_PROT: "1" } }).warnings),
    "HEADGATE_PROT: the variable is not known and sets nothing. Did you mean HEADGATE_PORT?",
  );
});

test("--config wins over HEADGATE_CONFIG, which wins over headgate.yaml", () => {
  write("headgate.yaml", "server: {port: 1}");
  write("b.yaml", "server: {port: 2}");
  write("c.json", '{"server": {"port": 3}}');
  assert.equal(loaded({ env: { HEADGATE_CONFIG: "b.yaml" } }).config.server.port, 2);
  assert.equal(loaded({ env: { HEADGATE_CONFIG: "b.yaml" }, flags: { config: "c.json" } }).config.server.port, 3);
});

test("a file that was named must be there, and must be text", () => {
  const text =
    "missing.yaml: the file cannot be read (ENOENT). Correct --config, or create the file with `headgate init`.";
  assert.equal(problems({ flags: { config: "missing.yaml" } }), text);
  writeFileSync(join(folder, "headgate.yaml"), new Uint8Array([0x61, 0xff]));
  assert.equal(problems(), "headgate.yaml: the file is not UTF-8 text. Save it as UTF-8.");
});

test("the data folder starts at the file's folder when the file names it, else at the working directory", () => {
  assert.equal(loaded().config.storage.dataDir, join(folder, ".headgate"));
  write("etc/h.yaml", "storage: {dataDir: data}");
  const flags = { config: "etc/h.yaml" };
  assert.equal(loaded({ flags }).config.storage.dataDir, join(folder, "etc/data"));
  assert.equal(loaded({ flags, env: { HEADGATE_DATA_DIR: "data" } }).config.storage.dataDir, join(folder, "data"));
  assert.equal(loaded({ flags: { ...flags, dataDir: "/d" } }).config.storage.dataDir, "/d");
});

test("a provider whose key is in the environment is there by itself, by its preferred variable", () => {
  const { config, origins, warnings } = loaded({
    env: { GOOGLE_API_KEY: "g2", GEMINI_API_KEY: "g1", AZURE_OPENAI_API_KEY: "az" },
  });
  assert.deepEqual(Object.keys(config.providers), ["gemini"]);
  assert.equal(config.providers["gemini"]?.credentials[0]?.key?.reveal(), "g1");
  assert.equal(origins.get("providers.gemini.credentials[0].key"), "GEMINI_API_KEY");
  assert.equal(
    renderProblems(warnings),
    "AZURE_OPENAI_API_KEY: Azure OpenAI is not added: it has no common address. Add `azure:` with `baseUrl` under `providers`.",
  );
});

test("a variable that cannot hold a key adds no provider, and says so without the value", () => {
  const { config, warnings } = loaded({ env: { OPENAI_API_KEY: "hunter two" } });
  assert.deepEqual(config.providers, {});
  assert.equal(
    renderProblems(warnings),
    "OPENAI_API_KEY: OpenAI is not added: the variable holds something that cannot be a key. A key is one line without spaces, at most 16 KiB long.",
  );
});

test("the file's own entry takes the key from the environment only for the catalogue's address", () => {
  const env = { OPENAI_API_KEY: "o", AZURE_OPENAI_API_KEY: "a" };
  write("headgate.yaml", "providers: {openai: , azure: {baseUrl: 'https://me.example/openai/v1/'}}");
  const { providers } = loaded({ env }).config;
  assert.equal(providers["openai"]?.credentials[0]?.key?.reveal(), "o");
  assert.equal(providers["azure"]?.credentials[0]?.key?.reveal(), "a");
  assert.equal(providers["azure"]?.baseUrl, "https://me.example/openai/v1");
  write("headgate.yaml", "providers: {openai: {baseUrl: 'https://proxy.example/v1'}}");
  assert.deepEqual(loaded({ env }).config.providers["openai"]?.credentials, [{ name: "none", key: null }]);
});

test("several credentials keep their order and names; header names are lower-cased", () => {
  write(
    "headgate.yaml",
    "providers:\n  eu:\n    kind: openai\n    headers: {X-Team: a}\n    credentials: [{name: b, key: env:B}, {name: a, key: env:A}]\n",
  );
  const provider = loaded({ env: { A: "1", B: "2" } }).config.providers["eu"];
  assert.equal(provider?.kind, "openai");
  assert.deepEqual(provider?.headers, { "x-team": "a" });
  const keys = provider?.credentials.map(({ name, key }) => [name, key?.reveal(), key?.reference]);
  assert.deepEqual(keys, [
    ["b", "2", "env:B"],
    ["a", "1", "env:A"],
  ]);
});

test("a secret file is read beside the configuration file, without its trailing newline", () => {
  write("etc/headgate.yaml", "providers: {openai: {key: file:keys/openai}}");
  const secret = write("etc/keys/openai", "sk-1\n");
  const result = loaded({ flags: { config: "etc/headgate.yaml" } });
  assert.equal(result.config.providers["openai"]?.credentials[0]?.key?.reveal(), "sk-1");
  assert.deepEqual(result.warnings, []);
  chmodSync(secret, 0o644);
  const path = join(folder, "etc/keys/openai");
  assert.equal(
    renderProblems(loaded({ flags: { config: "etc/headgate.yaml" } }).warnings),
    `etc/headgate.yaml:1:27: providers.openai.key refers to the file ${path}, which others than its owner can read or write (mode 0644). Run: chmod 600 ${path}`,
  );
});

test("a secret file with two lines or nothing is refused without showing it", () => {
  write("headgate.yaml", "providers: {openai: {key: file:k}}");
  write("k", "hunter2\nhunter3\n");
  assert.match(problems(), /holds something that cannot be a key/);
  assert.doesNotMatch(problems(), /hunter/);
  write("k", "\n");
  assert.match(problems(), /which is empty/);
});
