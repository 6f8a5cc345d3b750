import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createTestCli } from "../../../../test/support/cli.ts";
import { createVirtualClock } from "../../../../test/support/virtual-clock.ts";

const DAY_MS = 86_400_000;

interface KeyDocument {
  readonly key: string;
  readonly id: string;
  readonly prefix: string;
  readonly name: string;
  readonly state: string;
  readonly expiresAt: string | null;
  readonly tenant: { readonly name: string };
  readonly models: readonly string[] | null;
  readonly metadata: Readonly<Record<string, string>>;
}

test("tenants are created, listed, renamed, disabled and enabled", async () => {
  using cli = createTestCli();
  const created = await cli.json<{ id: string }>("tenant", "create", "acme");
  assert.match(created.id, /^ten_/);
  assert.match((await cli.run("tenant", "rename", "acme", "acme-europe")).stdout, /is now called acme-europe\.\n$/);
  assert.match((await cli.run("tenant", "disable", created.id)).stdout, /^Disabled tenant acme-europe: /);
  assert.match((await cli.run("tenant", "list")).stdout, /^NAME +STATE .*\nacme-europe  disabled  .* ten_\w+\n$/);
  const enabled = await cli.json<Record<string, unknown>>("tenant", "enable", "acme-europe");
  assert.deepEqual([enabled["state"], enabled["disabledAt"]], ["enabled", null]);
});

test("a name that is taken or not there ends with exit code 4, one that cannot be with 2", async () => {
  using cli = createTestCli();
  await cli.run("tenant", "create", "acme");
  assert.equal((await cli.run("tenant", "create", "acme")).exitCode, 4);
  assert.equal((await cli.run("tenant", "disable", "nobody")).exitCode, 4);
  const bad = await cli.run("tenant", "create", "a b", "--json");
  assert.equal(bad.exitCode, 2);
  assert.equal((JSON.parse(bad.stderr) as { error: { param: string } }).error.param, "name");
});

test("a command that only reads makes no store", async () => {
  using cli = createTestCli();
  for (const command of ["tenant list", "project list", "key list", "usage", "requests"]) {
    const { exitCode, stderr } = await cli.run(...command.split(" "));
    assert.equal(exitCode, 4, command);
    assert.match(stderr, /There is no store in .*\.headgate\. Start the gateway once/);
  }
  assert.equal(existsSync(join(cli.folder, ".headgate")), false);
});

test("projects belong to the only tenant, or to the one that is named", async () => {
  using cli = createTestCli();
  assert.match((await cli.run("project", "create", "search")).stderr, /There is no tenant yet\./);
  await cli.run("tenant", "create", "acme");
  assert.match((await cli.run("project", "create", "search")).stdout, /^Created project search \(prj_\w+\)\.\n$/);
  await cli.run("tenant", "create", "zeta");
  const unclear = await cli.run("project", "create", "ads");
  assert.equal(unclear.exitCode, 2);
  assert.match(unclear.stderr, /There is more than one tenant\. Say which with --tenant: acme, zeta\./);
  await cli.run("project", "create", "ads", "--tenant", "zeta");
  await cli.run("project", "rename", "ads", "adverts", "--tenant", "zeta");
  await cli.run("project", "disable", "adverts", "--tenant", "zeta");
  const { projects } = await cli.json<{ projects: Record<string, unknown>[] }>("project", "list", "--tenant", "zeta");
  assert.deepEqual(
    projects.map(({ name, state, tenant }) => [name, state, (tenant as { name: string }).name]),
    [["adverts", "disabled", "zeta"]],
  );
  assert.match((await cli.run("project", "list")).stdout, /\nacme +search +enabled .*\nzeta +adverts +disabled /);
  assert.match((await cli.run("project", "enable", "adverts", "--tenant", "zeta")).stdout, /^Enabled project adverts/);
});

test("a key is printed once, alone on stdout, and afterwards known by its prefix only", async () => {
  using cli = createTestCli();
  await cli.run("tenant", "create", "acme");
  await cli.run("project", "create", "search");
  const { exitCode, stdout, stderr } = await cli.run("key", "create", "--name", "alice");
  assert.equal(exitCode, 0);
  assert.match(stdout, /^hg-[0-9A-Za-z]{43}\n$/);
  assert.match(stderr, /Created key alice .* shown now and never again/);
  const list = await cli.run("key", "list");
  assert.ok(list.stdout.includes(`${stdout.slice(0, 8)}…`));
  assert.ok(!list.stdout.includes(stdout.trim()));
  assert.ok(!(await cli.run("key", "list", "--json")).stdout.includes(stdout.trim()));
});

test("expiry, models and metadata of a key are as given, and an expired key leaves the list", async () => {
  const clock = createVirtualClock();
  using cli = createTestCli({ clock });
  await cli.run("tenant", "create", "acme");
  await cli.run("project", "create", "search");
  const options = ["--expires", "30d", "--models", "openai/*,fast", "--metadata", "team=data", "--metadata", "why=a=b"];
  const created = await cli.json<KeyDocument>("key", "create", "--name", "ci", "--tenant", "acme", ...options);
  assert.equal(created.expiresAt, new Date(clock.wallMs() + 30 * DAY_MS).toISOString());
  assert.deepEqual(created.models, ["openai/*", "fast"]);
  assert.deepEqual(created.metadata, { team: "data", why: "a=b" });
  const namesOf = async (...args: string[]): Promise<unknown[]> => {
    const { keys } = await cli.json<{ keys: KeyDocument[] }>("key", "list", ...args);
    return keys.map(({ name, state }) => [name, state]);
  };
  assert.deepEqual(await namesOf(), [["ci", "active"]]);
  clock.advance(31 * DAY_MS);
  assert.deepEqual(await namesOf(), []);
  assert.deepEqual(await namesOf("--all"), [["ci", "expired"]]);
  assert.equal((await cli.run("key", "create", "--name", "late", "--expires", "2020-01-01")).exitCode, 2);
});

test("a key is revoked by its prefix, and rotated with or without an overlap", async () => {
  using cli = createTestCli();
  await cli.run("tenant", "create", "acme");
  await cli.run("project", "create", "search");
  const first = await cli.json<KeyDocument>("key", "create", "--name", "alice");
  const second = await cli.run("key", "rotate", first.id, "--overlap", "24h");
  assert.match(second.stdout, /^hg-\w{43}\n$/);
  assert.match(second.stderr, /Replaced key alice \(hg-\w{5}…\), which works until \d{4}-\d\d-\d\d \d\d:\d\d UTC\./);
  const { keys } = await cli.json<{ keys: KeyDocument[] }>("key", "list");
  const newer = keys.find(({ id }) => id !== first.id);
  assert.ok(newer);
  assert.match((await cli.run("key", "rotate", newer.id)).stderr, /which is refused from now on\./);
  assert.match((await cli.run("key", "revoke", first.prefix)).stdout, /^Revoked key alice /);
  assert.equal((await cli.json<KeyDocument>("key", "revoke", first.id)).state, "revoked");
  assert.equal((await cli.run("key", "rotate", first.id)).exitCode, 2);
  assert.equal((await cli.run("key", "revoke", "hg-00000")).exitCode, 4);
});

test("a name means the key that is in force, however often it was rotated", async () => {
  using cli = createTestCli();
  await cli.run("tenant", "create", "acme");
  await cli.run("project", "create", "search");
  const first = await cli.json<KeyDocument>("key", "create", "--name", "bot");
  for (const turn of [1, 2]) assert.equal((await cli.run("key", "rotate", "bot")).exitCode, 0, `turn ${turn}`);
  const { exitCode, stdout } = await cli.run(
    "budget",
    "create",
    "daily",
    "--requests",
    "5",
    "--per",
    "day",
    "--key",
    "bot",
  );
  assert.equal(exitCode, 0, stdout);
  const report = await cli.run("requests", "--key", "bot");
  assert.equal(report.exitCode, 2);
  assert.match(report.stderr, /More than one key is called "bot"\. Use its id: `headgate key list --all` shows it\./);
  assert.equal((await cli.run("requests", "--key", first.id)).exitCode, 0);
  await cli.run("key", "rotate", "bot", "--overlap", "24h");
  assert.equal((await cli.run("key", "revoke", "bot")).exitCode, 2, "two are in force");
});

test("keys are listed of one tenant or project", async () => {
  using cli = createTestCli();
  for (const tenant of ["acme", "zeta"]) {
    await cli.run("tenant", "create", tenant);
    await cli.run("project", "create", "search", "--tenant", tenant);
    await cli.run("key", "create", "--name", `of-${tenant}`, "--tenant", tenant);
  }
  const { keys } = await cli.json<{ keys: KeyDocument[] }>("key", "list", "--tenant", "zeta");
  assert.deepEqual(
    keys.map(({ name, tenant }) => [name, tenant.name]),
    [["of-zeta", "zeta"]],
  );
  const ofProject = await cli.run("key", "list", "--tenant", "acme", "--project", "search");
  assert.match(ofProject.stdout, /of-acme/);
  assert.doesNotMatch(ofProject.stdout, /of-zeta/);
});
