import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type AccountDocument,
  args,
  type Document,
  openBudgetCommands,
  useBudget,
} from "../../../../test/support/budget-commands.ts";
import { createTestCli } from "../../../../test/support/cli.ts";

const USD = 1_000_000_000n;

test("overrides are set, listed, shown with their allowance and revoked", async () => {
  using place = await openBudgetCommands();
  const { cli } = place;
  await cli.run(...args("budget create daily --money 10 --per day"));
  await cli.run(...args("budget create slots --slots 8"));
  const now = await cli.run(...args("budget override daily --limit 25.5"));
  assert.match(now.stdout, /^Override ovr_\w+ of daily: \$25\.50 from 2027-01-15 00:00 to 2027-01-16 00:00 UTC\.\n$/);
  const next = await cli.json<Document>(...args("budget override daily --limit 5 --next 2"));
  assert.deepEqual([next["from"], next["until"]], ["2027-01-16T00:00:00.000Z", "2027-01-18T00:00:00.000Z"]);
  assert.match(
    (await cli.run(...args("budget show daily"))).stdout,
    /\nOverride ovr_\w+: \$25\.50 from 2027-01-15 00:00/,
  );
  assert.match(
    (await cli.run(...args("budget overrides"))).stdout,
    /\ndaily +\$25\.50 .* set .*\ndaily +\$5\.00 .* set /,
  );
  for (const [line, message] of [
    ["budget override daily --limit 1", /has an override for some of these windows already, ovr_\w+ from/],
    ["budget override daily --limit 1 --next 0", /--next must be a whole number from 1 to 1000, not "0"\./],
    ["budget override slots --limit 1", /slots is an allowance of slots, which has no windows to override\./],
  ] as const) {
    const result = await cli.run(...args(line));
    assert.match(result.stderr, message);
    assert.equal(result.exitCode, 2);
  }
  assert.match((await cli.run("budget", "overrides", "revoke", next.id)).stdout, /^Revoked override ovr_\w+ of daily:/);
  const listed = async (...more: string[]): Promise<number> =>
    (await cli.json<{ overrides: unknown[] }>("budget", "overrides", ...more)).overrides.length;
  assert.deepEqual([await listed(), await listed("daily", "--all"), await listed("slots", "--all")], [1, 2, 0]);
  assert.equal((await cli.run(...args("budget overrides revoke ovr_0"))).exitCode, 4);
});

test("what a dead process left is listed, pointed at, and decided about with a reason that is kept", async () => {
  using place = await openBudgetCommands();
  const { cli } = place;
  const { id } = await cli.json<Document>(...args("budget create total --money 10 --per lifetime"));
  assert.equal((await cli.run(...args("budget suspense"))).stdout, "Nothing is in suspense.\n");
  const owner = await useBudget(place, id, { drawn: 5n * USD, settled: 4n * USD, dies: true });
  assert.match(
    (await cli.run(...args("budget show total"))).stdout,
    /\n\$1\.00 in suspense: `headgate budget suspense total` shows/,
  );
  assert.match(
    (await cli.run(...args("budget suspense total"))).stdout,
    /\ntotal +- +\$1\.00 +2027-01-15 12:00 +ins_1 +own_/,
  );
  const resolve = ["budget", "suspense", "resolve", "total"];
  assert.match(
    (await cli.run(...resolve, "--reason", "x")).stderr,
    /Say what becomes of it: --decision release makes it/,
  );
  assert.equal((await cli.run(...resolve, "--decision", "release")).exitCode, 2, "a reason is required");
  const told = await cli.run(...resolve, "--decision", "spend", "--reason", "disk lost", "--owner", owner);
  assert.equal(told.stdout, `$1.00 of total, left by ${owner}, counts as spent.\n`);
  assert.equal((await cli.run(...resolve, "--decision", "spend", "--reason", "again")).exitCode, 4);
  assert.match(
    (await cli.run(...args("budget suspense --decided"))).stdout,
    /\n2027-01-15 12:00 +total +- +\$1\.00 +spend +disk lost\n$/,
  );
  const { suspended, decided } = await cli.json<{ suspended: unknown[]; decided: Document[] }>("budget", "suspense");
  assert.deepEqual(suspended, []);
  assert.deepEqual(
    [decided[0]?.["amount"], decided[0]?.["decision"], decided[0]?.["reason"]],
    ["1.00", "spend", "disk lost"],
  );
  const { accounts } = await cli.json<{ accounts: AccountDocument[] }>("budget", "show", "total");
  assert.equal(accounts[0]?.spent, "5.00");
});

test("commands that only read make no store, and alerts are listed when there are none", async () => {
  using cli = createTestCli();
  for (const command of ["list", "show x", "overrides", "suspense", "alerts", "set x --limit 1", "disable x"]) {
    const { exitCode, stderr } = await cli.run("budget", ...args(command));
    assert.equal(exitCode, 4, command);
    assert.match(stderr, /There is no store in /);
  }
  await cli.run("tenant", "create", "acme");
  assert.equal((await cli.run("budget", "alerts")).stdout, "No threshold was passed.\n");
  assert.deepEqual(await cli.json("budget", "alerts"), { alerts: [] });
});
