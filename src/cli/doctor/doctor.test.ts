import assert from "node:assert/strict";
import { once } from "node:events";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { createTestCli, type TestCli } from "../../../test/support/cli.ts";
import { startTestGateway } from "../../../test/support/gateway.ts";
import { startLocalServer } from "../../../test/support/local-server.ts";
import { ids } from "../../../test/contract/engines.ts";
import { openTestPostgres, postgresMissing } from "../../../test/support/postgres.ts";
import { createVirtualClock } from "../../../test/support/virtual-clock.ts";
import { createSystemClock } from "../../kernel/clock.ts";
import { startSimulator } from "../../simulator/simulator.ts";
import { openStore } from "../../storage/storage.ts";
import { checkClock } from "./clock-check.ts";
import type { Finding } from "./finding.ts";

const clock = createSystemClock();

async function examine(cli: TestCli, ...args: string[]): Promise<{ exitCode: number; checks: Finding[] }> {
  const { exitCode, stdout, stderr } = await cli.run("doctor", "--port", "0", ...args, "--json");
  assert.equal(stderr, "");
  const { ok, checks } = JSON.parse(stdout) as { ok: boolean; checks: Finding[] };
  assert.equal(ok, exitCode === 0);
  return { exitCode, checks };
}

function find(checks: readonly Finding[], check: string): Finding {
  const found = checks.find((each) => each.check === check);
  assert.ok(found, `no check "${check}" in ${JSON.stringify(checks)}`);
  return found;
}

function configure(cli: TestCli, url: string, more = ""): void {
  const text = `providers:\n  simulator:\n    baseUrl: ${url}/v1\n    key: env:SIM_KEY\n${more}`;
  writeFileSync(join(cli.folder, "headgate.yaml"), text);
}

test("a healthy set-up passes, and the provider's clock agrees", async () => {
  using cli = createTestCli({ env: { SIM_KEY: "sk-sim" } });
  await using simulator = await startSimulator({ clock });
  configure(cli, simulator.url, "models:\n  fast:\n    targets: [simulator/sim-chat]\n");
  await cli.run("tenant", "create", "acme");
  const { exitCode, checks } = await examine(cli);
  assert.equal(exitCode, 0);
  assert.deepEqual(
    checks.filter(({ level }) => level !== "ok"),
    [],
  );
  assert.match(
    find(checks, "provider simulator").message,
    /answers at http:\/\/127.* and accepts credential "default"/,
  );
  assert.match(find(checks, "clock").message, /agrees with the providers'/);
  assert.match(find(checks, "store").message, /schema \d+, sound; 0 gateways run on it/);
  const { stdout } = await cli.run("doctor", "--port", "0");
  assert.match(stdout, /^ok {4}configuration +.*headgate\.yaml; providers: simulator\n/);
  assert.match(stdout, /\n\d ok, 0 warnings, 0 failed\.\n$/);
});

test("a provider that nobody listens at, or whose name does not resolve, fails with what to do, and the exit code is 5", async () => {
  using cli = createTestCli({ env: { SIM_KEY: "sk-sim" } });
  await using simulator = await startSimulator({ clock });
  configure(cli, await simulator.refusedUrl());
  const refused = await examine(cli);
  assert.equal(refused.exitCode, 5);
  assert.match(find(refused.checks, "provider simulator").message, /nothing listens at http.* \(ECONNREFUSED\)/);
  configure(cli, "http://no-such-host.invalid");
  const unresolved = find((await examine(cli)).checks, "provider simulator");
  assert.equal(unresolved.level, "fail");
  assert.match(unresolved.message, /does not resolve|cannot be reached/);
  assert.equal((await examine(cli, "--offline")).exitCode, 0);
});

test("a provider that accepts the connection and stays silent is given five seconds", async () => {
  const virtual = createVirtualClock();
  using cli = createTestCli({ env: { SIM_KEY: "sk-sim" }, clock: virtual });
  await using silent = await startLocalServer(() => virtual.advance(5000));
  configure(cli, silent.url);
  const { exitCode, checks } = await examine(cli);
  assert.equal(exitCode, 5);
  const { message, advice } = find(checks, "provider simulator");
  assert.equal(message, `${silent.url} did not answer within 5000 ms`);
  assert.equal(advice, "Check network, firewall and proxy between here and there.");
});

test("a credential that is refused, or missing, is told apart from the network", async () => {
  using cli = createTestCli({ env: { GATE_KEY: "hg-wrong" } });
  await using gateway = await startTestGateway();
  const text = `providers:\n  gate:\n    kind: openai-compatible\n    baseUrl: ${gateway.url}/v1\n    key: env:GATE_KEY\n`;
  writeFileSync(join(cli.folder, "headgate.yaml"), text);
  const refused = find((await examine(cli)).checks, "provider gate");
  assert.equal(refused.level, "fail");
  assert.match(refused.message, /refuses credential "default" \(status 401\)/);
  const keyless = "providers:\n  own:\n    kind: anthropic-compatible\n    baseUrl: http://127.0.0.1:9/v1\n";
  writeFileSync(join(cli.folder, "headgate.yaml"), keyless);
  const { exitCode, checks } = await examine(cli, "--offline");
  assert.equal(exitCode, 5);
  assert.deepEqual(find(checks, "provider own"), {
    check: "provider own",
    level: "fail",
    message: "has no key",
    advice: "Set providers.own.key.",
  });
});

test("a port is told to be free, a gateway's own, or another program's", async () => {
  using cli = createTestCli();
  await using gateway = await startTestGateway();
  const own = await cli.json<{ checks: Finding[] }>("doctor", "--offline", "--port", new URL(gateway.url).port);
  assert.match(find(own.checks, "port").message, /is a running gateway's/);
  const other = createServer((socket) => socket.resume().end("220 mail.example ready\r\n"));
  await once(other.listen(0, "127.0.0.1"), "listening");
  const { port } = other.address() as { port: number };
  const { exitCode, stdout } = await cli.run("doctor", "--offline", "--port", String(port));
  assert.equal(exitCode, 5);
  assert.match(stdout, /^fail {2}port .*is used by another program\n +→ Stop it, or choose another port/m);
  await once(other.close(), "close");
  const free = await cli.json<{ checks: Finding[] }>("doctor", "--offline", "--port", String(port));
  assert.match(find(free.checks, "port").message, /is free/);
});

test("a store that is no database fails, one that a gateway uses is sound", async () => {
  using cli = createTestCli();
  mkdirSync(join(cli.folder, ".headgate"), { mode: 0o700 });
  writeFileSync(
    join(cli.folder, ".headgate", "headgate.db"),
    "this is not a database, whatever its name says".repeat(100),
  );
  const broken = await examine(cli, "--offline");
  assert.equal(broken.exitCode, 5);
  assert.match(find(broken.checks, "store").message, /^cannot be read: /);
  await using gateway = await startTestGateway();
  const used = await examine(cli, "--offline", "--data-dir", gateway.dataDir);
  assert.match(find(used.checks, "store").message, /one gateway runs on it/);
});

test("a data folder that others can enter is warned of, one that is a file fails", async () => {
  using cli = createTestCli();
  const folder = join(cli.folder, "open");
  mkdirSync(folder);
  chmodSync(folder, 0o755);
  const open = find((await examine(cli, "--offline", "--data-dir", "open")).checks, "data folder");
  assert.equal(open.level, "warn");
  assert.match(open.advice ?? "", /^Close it: chmod 700 /);
  writeFileSync(join(cli.folder, "file"), "");
  assert.equal((await examine(cli, "--offline", "--data-dir", "file")).exitCode, 5);
});

test("targets without a price are named", async () => {
  using cli = createTestCli();
  const text =
    "providers:\n  own:\n    kind: openai-compatible\n    baseUrl: http://127.0.0.1:9/v1\nmodels:\n  fast:\n    targets: [own/thing]\n";
  writeFileSync(join(cli.folder, "headgate.yaml"), text);
  const prices = find((await examine(cli, "--offline")).checks, "prices");
  assert.equal(prices.level, "warn");
  assert.match(prices.message, /^no price for own\/thing: calls of them count as \$0/);
});

test("a clock is wrong when it jumps, is long past, or is far from what most providers say", () => {
  const begin = { wallMs: Date.UTC(2026, 10, 21), monotonicMs: 1000 };
  const later = (ms: number, jumpMs = 0) => ({ wallMs: begin.wallMs + ms + jumpMs, monotonicMs: 1000 + ms });
  assert.equal(checkClock(begin, later(200), []).level, "ok");
  assert.match(checkClock(begin, later(200, -3000), []).message, /^jumped by -3000 ms/);
  assert.match(checkClock({ ...begin, wallMs: 0 }, later(0), []).message, /^says 1970-01-01/);
  assert.equal(checkClock(begin, later(10), [-900, 100, 90_000]).level, "ok", "one strange provider does not count");
  assert.match(checkClock(begin, later(10), [60_000, 61_000]).message, /is 60 seconds behind the providers'/);
});

test("a shared database is asked, and what waits for it on this machine is counted", async (context) => {
  if (postgresMissing !== false) return context.skip(postgresMissing);
  await using database = await openTestPostgres("bare");
  using cli = createTestCli({ env: { SIM_KEY: "sk-sim", HEADGATE_POSTGRES_URL: database.url } });
  await using simulator = await startSimulator({ clock });
  configure(cli, simulator.url);
  const fresh = (await examine(cli)).checks;
  assert.match(find(fresh, "database").message, /^PostgreSQL \d.* at .* answers in \d+ ms, no tables yet/);
  assert.match(find(fresh, "journal").message, /not there yet/);
  const options = { dataDir: join(cli.folder, ".headgate"), durability: "process", clock, ids } as const;
  await using store = await openStore({ ...options, postgres: { url: database.url } });
  const used = await examine(cli);
  assert.equal(used.exitCode, 0);
  assert.match(find(used.checks, "database").message, /schema \d+$/);
  assert.match(find(used.checks, "journal").message, /schema \d+, sound; one gateway runs on it/);
  assert.equal(store.queueLength(), 0);
});

test("a shared database that cannot be used fails the examination, without its password", async (context) => {
  if (postgresMissing !== false) return context.skip(postgresMissing);
  await using database = await openTestPostgres();
  const missing = database.url.replace(/[^/]*$/, "nowhere").replace("headgate@", "headgate:hunter2@");
  using cli = createTestCli({ env: { SIM_KEY: "sk-sim", HEADGATE_POSTGRES_URL: missing } });
  await using simulator = await startSimulator({ clock });
  configure(cli, simulator.url);
  const { exitCode, checks } = await examine(cli);
  assert.equal(exitCode, 5);
  const { level, message, advice } = find(checks, "database");
  assert.deepEqual([level, message], ["fail", 'cannot be used: database "nowhere" does not exist (3D000)']);
  assert.match(advice ?? "", /correct `storage\.postgres`/);
  assert.equal(JSON.stringify(checks).includes("hunter2"), false);
  assert.equal(
    (await examine(cli, "--offline")).checks.some(({ check }) => check === "database"),
    false,
  );
});
