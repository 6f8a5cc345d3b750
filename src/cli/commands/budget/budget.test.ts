import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { createTestBank } from "../../../../test/contract/bank-place.ts";
import { accountOf } from "../../../../test/contract/bank-samples.ts";
import { settleMoves } from "../../../../test/contract/bank-steps.ts";
import { createTestCli, type TestCli } from "../../../../test/support/cli.ts";
import { createVirtualClock, type VirtualClock } from "../../../../test/support/virtual-clock.ts";
import type { AllowanceWindow } from "../../../limits/allowance.ts";
import { windowAt } from "../../../limits/calendar.ts";
import { openDatabase } from "../../../storage/storage.ts";

const HOUR_MS = 3_600_000;
const USD = 1_000_000_000n;

interface Document extends Readonly<Record<string, unknown>> {
  readonly id: string;
}

interface AccountDocument extends Document {
  readonly subject: { readonly id: string; readonly name: string } | null;
  readonly spent: string;
}

interface Place extends Disposable {
  readonly cli: TestCli;
  readonly clock: VirtualClock;
}

/** A tenant `acme` with a project `search` and a key `alice`, on 2027-01-15 at noon. */
async function open(): Promise<Place> {
  const clock = createVirtualClock(Date.UTC(2027, 0, 15, 12));
  const cli = createTestCli({ clock });
  await cli.run("tenant", "create", "acme");
  await cli.run("project", "create", "search");
  await cli.run("key", "create", "--name", "alice");
  return { cli, clock, [Symbol.dispose]: () => cli[Symbol.dispose]() };
}

interface Use {
  readonly drawn: bigint;
  readonly settled: bigint;
  readonly subject?: string;
  readonly window?: AllowanceWindow;
  /** The process dies: its lease ends unexplained. */
  readonly dies?: boolean;
}

/** A gateway process draws so much of an allowance and settles so much of it. */
async function use({ cli, clock }: Place, allowanceId: string, options: Use): Promise<string> {
  const db = openDatabase({ dataDir: join(cli.folder, ".headgate"), durability: "process" });
  const bank = createTestBank(db, {
    get nowMs() {
      return clock.wallMs();
    },
  });
  const { drawn, settled, subject = "", window = "lifetime" } = options;
  const span = window === "lifetime" ? undefined : windowAt(window, "UTC", clock.wallMs());
  const account = accountOf(allowanceId, span, subject);
  const ownerId = `own_${allowanceId}_${subject}`;
  await bank.register(ownerId, "ins_1", 30_000);
  await bank.draw(ownerId, [{ account, sequence: 1, need: drawn, want: drawn }]);
  await settleMoves(db, [{ ownerId, accountId: account.accountId, fromGrant: settled, overdraft: 0n }]);
  if (options.dies === true) {
    clock.advance(31_000);
    await bank.reap();
  }
  await db.destroy();
  return ownerId;
}

function args(line: string): string[] {
  return line.split(" ");
}

test("an allowance is created with everything that was said, and shown the same by list and show", async () => {
  using place = await open();
  const { cli, clock } = place;
  const line = "budget create monthly --money 100 --per month --time-zone Europe/Berlin --alert 80,100";
  const created = await cli.json<Document>(
    ...args(`${line} --models openai/*,fast --operation chat --mode soft --policy strict`),
  );
  const { tenant, id, ...rest } = created;
  assert.match(id, /^alw_/);
  assert.equal((tenant as { name: string }).name, "acme");
  assert.deepEqual(rest, {
    name: "monthly",
    state: "enabled",
    scope: { kind: "tenant", each: false, project: null, key: null, endUser: null },
    meter: "money",
    unit: "usd",
    limit: "100.00",
    window: "month",
    timeZone: "Europe/Berlin",
    burst: null,
    models: ["openai/*", "fast"],
    operation: "chat",
    mode: "soft",
    policy: "strict",
    alerts: [80, 100],
    createdAt: new Date(clock.wallMs()).toISOString(),
    disabledAt: null,
  });
  assert.deepEqual((await cli.json<{ allowances: unknown }>("budget", "list")).allowances, [created]);
  const shown = await cli.json<Document>("budget", "show", "monthly");
  assert.deepEqual(shown, { ...created, overrides: [], accounts: [], accountCount: 0 });
});

test("whom it counts follows from the narrowest option, and each counts every one apart", async () => {
  using place = await open();
  const { cli } = place;
  const scopes: readonly (readonly [options: string, counts: string])[] = [
    ["", "tenant"],
    ["--project search", "project search"],
    ["--project each", "each project"],
    ["--key alice", "key alice"],
    ["--key each", "each key"],
    ["--project search --key each", "each key of project search"],
    ["--end-user anna", "end user anna"],
    ["--end-user each", "each end user"],
    ["--key alice --end-user each", "each end user of key alice"],
  ];
  for (const [index, [options]] of scopes.entries()) {
    const line = `budget create a${index} --requests 60 --per minute ${options}`.trim();
    assert.equal((await cli.run(...args(line))).exitCode, 0, line);
  }
  const { stdout } = await cli.run("budget", "list");
  const counted = stdout
    .split("\n")
    .slice(1, -1)
    .map((row) => /^acme +a\d +(.*?) {2,}60 requests per minute/.exec(row)?.[1]);
  assert.deepEqual(
    counted,
    scopes.map(([, counts]) => counts),
  );
});

test("what cannot be is refused with exit code 2, what is not there or taken with 4, and nothing is made", async () => {
  using place = await open();
  const { cli } = place;
  await cli.run("tenant", "create", "zeta");
  await cli.run("project", "create", "ads", "--tenant", "zeta");
  const { id: foreignKey } = await cli.json<Document>(...args("key create --tenant zeta --project ads --name zoe"));
  const refused: readonly (readonly [options: string, exitCode: number, message: RegExp])[] = [
    ["--per day", 2, /Say what is limited, and to how much: one of --money, --tokens, --requests, --slots\./],
    ["--money 5", 2, /Say for how long the limit of money counts: --per with one of minute/],
    ["--money 5 --tokens 5 --per day", 2, /One allowance limits one thing, not --money and --tokens\./],
    ["--money -5 --per day", 2, /--money cannot be negative: -5\./],
    ["--money 0.0000000001 --per day", 2, /--money has more than nine decimals/],
    ["--money 9223372037 --per day", 2, /--money is too large\. The most is \$9223372036\.854775807\./],
    ["--tokens 1.5 --per day", 2, /--tokens must be a whole number of tokens, and 1\.5 is not\./],
    ["--requests many --per day", 2, /--requests must be a whole number of requests, such as 60, 500k or 2M/],
    ["--money 5 --per year", 2, /--per must be one of minute, hour, day, week, month, lifetime, not "year"\./],
    [
      "--money 5 --per day --time-zone Europe/Berln",
      2,
      /There is no time zone "Europe\/Berln"\. Did you mean Europe\/Berlin\?/,
    ],
    ["--money 5 --per hour --time-zone UTC", 2, /A time zone is for budgets per day, week or month/],
    ["--slots 5 --per day", 2, /Slots are held at the same time, not per day\./],
    ["--money 5 --per day --burst 1", 2, /A burst is for rates .* this is a budget of money per day\./],
    ["--requests 5 --per minute --alert 80", 2, /Alerts are for budgets; a rate of requests per minute/],
    [
      "--money 5 --per day --alert 80,x",
      2,
      /--alert must be whole percents separated by commas, such as 80,100, or none/,
    ],
    [
      "--money 5 --per day --mode sift",
      2,
      /--mode must be one of enforce, soft, shadow, not "sift"\. Did you mean soft\?/,
    ],
    ["--slots 5 --policy strict", 2, /Policy strict is for money and tokens/],
    ["--slots 5 --key each --end-user anna", 2, /--key each says nothing beside a narrower option/],
    ["--slots 5 --project ads", 4, /There is no project "ads"/],
    [`--slots 5 --key ${foreignKey}`, 2, /The key key_\w+ belongs to another tenant\./],
    ["--slots 5 --key nobody", 4, /There is no key "nobody"/],
  ];
  for (const [options, exitCode, message] of refused) {
    const result = await cli.run(...args(`budget create refused --tenant acme ${options}`));
    assert.match(result.stderr, message, options);
    assert.equal(result.exitCode, exitCode, options);
  }
  const unclear = await cli.run(...args("budget create refused --slots 5"));
  assert.match(unclear.stderr, /There is more than one tenant\. Say which with --tenant: acme, zeta\./);
  assert.deepEqual((await cli.json<{ allowances: unknown }>("budget", "list")).allowances, []);
  await cli.run(...args("budget create taken --tenant acme --slots 5"));
  assert.equal((await cli.run(...args("budget create taken --tenant acme --slots 5"))).exitCode, 4);
  assert.equal((await cli.run(...args("budget show nothing"))).exitCode, 4);
});

test("show says for each account what is spent, granted and foretold", async () => {
  using place = await open();
  const { cli } = place;
  const { id } = await cli.json<Document>(...args("budget create daily --money 10 --per day"));
  assert.match(
    (await cli.run("budget", "show", "daily")).stdout,
    /\n\nNothing has been drawn from it in the current window\.\n$/,
  );
  place.clock.advance(6 * HOUR_MS);
  await use(place, id, { drawn: 5n * USD, settled: 4n * USD, window: "day" });
  const { stdout } = await cli.run("budget", "show", "daily");
  assert.match(stdout, /^daily \(alw_\w+\): \$10\.00 per day in UTC; tenant acme; enforce, expected\.\n/);
  assert.match(
    stdout,
    /\nWINDOW FROM \(UTC\) +LIMIT +SPENT +HELD +GRANTED +SUSPENSE +AVAILABLE +REFUSALS +FORECAST +RUNS OUT \(UTC\)\n/,
  );
  assert.match(stdout, /\n2027-01-15 00:00 +\$10\.00 +\$4\.00 +\$0\.00 +\$1\.00 +\$0\.00 +\$5\.00 +0 +\$8\.00 +-\n$/);
  const { accounts } = await cli.json<{ accounts: AccountDocument[] }>("budget", "show", "daily");
  assert.deepEqual(accounts, [
    {
      id: `${id}||${Date.UTC(2027, 0, 15)}`,
      subject: null,
      windowStart: "2027-01-15T00:00:00.000Z",
      windowEnd: "2027-01-16T00:00:00.000Z",
      limit: "10.00",
      spent: "4.00",
      held: "0.00",
      granted: "1.00",
      suspense: "0.00",
      available: "5.00",
      refusals: 0,
      forecast: "8.00",
      runsOutAt: null,
    },
  ]);
});

test("show leaves out what a rate and a lifetime do not have", async () => {
  using place = await open();
  const { cli } = place;
  const headings = async (name: string): Promise<string | undefined> =>
    (await cli.run("budget", "show", name)).stdout.split("\n").at(-3)?.replace(/ {2,}/g, ", ");
  const rate = await cli.json<Document>(...args("budget create rpm --requests 60 --per minute"));
  await use(place, rate.id, { drawn: 2n, settled: 1n });
  assert.equal(await headings("rpm"), "LIMIT, SPENT, HELD, GRANTED, SUSPENSE, AVAILABLE, REFUSALS");
  const lifetime = await cli.json<Document>(...args("budget create total --tokens 60 --per lifetime"));
  await use(place, lifetime.id, { drawn: 2n, settled: 1n });
  assert.equal(await headings("total"), "LIMIT, SPENT, HELD, GRANTED, SUSPENSE, AVAILABLE, REFUSALS, RUNS OUT (UTC)");
});

test("show names subjects, lists past windows on request and says what it leaves out", async () => {
  using place = await open();
  const { cli, clock } = place;
  const { keys } = await cli.json<{ keys: Document[] }>("key", "list");
  const keyId = keys[0]?.id ?? "";
  const { id } = await cli.json<Document>(...args("budget create daily --tokens 1M --per day --key each"));
  await use(place, id, { drawn: 400_000n, settled: 400_000n, subject: keyId, window: "day" });
  await use(place, id, { drawn: 9n, settled: 9n, subject: "key_gone", window: "day" });
  assert.match(
    (await cli.run("budget", "show", "daily")).stdout,
    /\nalice +2027-01-15 00:00 +1,000,000 +400,000 .*\nkey_gone /,
  );
  assert.match((await cli.run(...args("budget show daily --limit 1"))).stdout, /\n1 more; --limit shows them\.\n$/);
  clock.advance(24 * HOUR_MS);
  assert.equal((await cli.json<{ accountCount: number }>("budget", "show", "daily")).accountCount, 0);
  const past = await cli.json<{ accounts: AccountDocument[] }>("budget", "show", "daily", "--past");
  assert.deepEqual(
    past.accounts.map(({ subject, spent }) => [subject?.name, spent]),
    [
      ["alice", "400000"],
      ["key_gone", "9"],
    ],
  );
});

test("set changes what is given, and says what a limit below what is spent means", async () => {
  using place = await open();
  const { cli } = place;
  const { id } = await cli.json<Document>(...args("budget create daily --money 10 --per day --alert 80"));
  await use(place, id, { drawn: 5n * USD, settled: 4n * USD, window: "day" });
  const raised = await cli.run(...args("budget set daily --limit 20 --mode soft --alert 50,75"));
  assert.match(
    raised.stdout,
    /^Changed daily: \$20\.00 per day in UTC; tenant acme; soft, expected; alerts at 50 %, 75 %\.\n$/,
  );
  const lowered = await cli.run(...args("budget set daily --limit 4 --mode enforce --alert none"));
  assert.match(
    lowered.stdout,
    /enforce, expected\.\nOne account has used or granted the limit already\. Nothing new is admitted there, until their window ends or it is raised; what is spent or held stays\.\n$/,
  );
  const again = await cli.json<Document>(
    ...args("budget set daily --limit 3 --rename today --models * --operation all"),
  );
  assert.deepEqual(
    [again["exhaustedAccounts"], again["name"], again["limit"], again["alerts"]],
    [1, "today", "3.00", []],
  );
  assert.match((await cli.run(...args("budget set today"))).stderr, /Say what to change/);
  assert.match((await cli.run(...args("budget set today --limit 1k"))).stderr, /--limit must be dollars/);
  assert.match((await cli.run(...args("budget set today --burst 5"))).stderr, /A burst is for rates/);
  assert.equal((await cli.run(...args("budget set nothing --limit 1"))).exitCode, 4);
});

test("a burst is set and taken away, and a limit of zero needs no change of it", async () => {
  using place = await open();
  const { cli } = place;
  await cli.run(...args("budget create rpm --requests 60 --per minute --burst 10"));
  assert.match((await cli.run(...args("budget list"))).stdout, / 60 requests per minute, at most 10 requests at once /);
  assert.match((await cli.run(...args("budget set rpm --limit 0"))).stdout, /^Changed rpm: 0 requests per minute; /);
  assert.equal((await cli.json<Document>(...args("budget set rpm --limit 90 --burst none")))["burst"], null);
});

test("disable and enable are told, and show says that nothing is limited", async () => {
  using place = await open();
  const { cli } = place;
  await cli.run(...args("budget create slots --slots 8"));
  assert.match(
    (await cli.run(...args("budget disable slots"))).stdout,
    /^Disabled slots: it limits nothing from the next/,
  );
  assert.match((await cli.run(...args("budget show slots"))).stdout, /\nIt is disabled and limits nothing\.\n/);
  assert.equal((await cli.json<Document>(...args("budget enable slots")))["state"], "enabled");
});

test("overrides are set, listed, shown with their allowance and revoked", async () => {
  using place = await open();
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
  using place = await open();
  const { cli } = place;
  const { id } = await cli.json<Document>(...args("budget create total --money 10 --per lifetime"));
  assert.equal((await cli.run(...args("budget suspense"))).stdout, "Nothing is in suspense.\n");
  const owner = await use(place, id, { drawn: 5n * USD, settled: 4n * USD, dies: true });
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
  assert.equal(
    (await cli.run("budget", "alerts")).stdout,
    "RAISED (UTC)  TENANT  ALLOWANCE  OF  PASSED  SPENT  LIMIT  WEBHOOK\n",
  );
  assert.deepEqual(await cli.json("budget", "alerts"), { alerts: [] });
});
