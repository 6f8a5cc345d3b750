import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { renderCliReference } from "../../shell/cli-reference.ts";
import { args, type Document, openBudgetCommands, useBudget } from "../../../../test/support/budget-commands.ts";

const USD = 1_000_000_000n;

test("an allowance is created with everything that was said, and shown the same by list and show", async () => {
  using place = await openBudgetCommands();
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
  using place = await openBudgetCommands();
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
  using place = await openBudgetCommands();
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

test("set changes what is given, and says what a limit below what is spent means", async () => {
  using place = await openBudgetCommands();
  const { cli } = place;
  const { id } = await cli.json<Document>(...args("budget create daily --money 10 --per day --alert 80"));
  await useBudget(place, id, { drawn: 5n * USD, settled: 4n * USD, window: "day" });
  const raised = await cli.run(...args("budget set daily --limit 20 --mode soft --alert 50,75"));
  assert.match(
    raised.stdout,
    /^Changed daily: \$20\.00 per day in UTC; tenant acme; soft, expected; alerts at 50 %, 75 %\.\n$/,
  );
  const lowered = await cli.run(...args("budget set daily --limit 4 --mode enforce --alert none"));
  assert.match(
    lowered.stdout,
    /enforce, expected\.\nOne account has used or granted the limit already\. Nothing new is admitted there, until the window ends or it is raised; what is spent or held stays\.\n$/,
  );
  const told = await cli.run(...args("budget set daily --alert 90"));
  assert.match(told.stdout, /^Changed daily: [^\n]*alerts at 90 %\.\n$/);
  await cli.run(...args("budget set daily --alert none"));
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
  using place = await openBudgetCommands();
  const { cli } = place;
  await cli.run(...args("budget create rpm --requests 60 --per minute --burst 10"));
  assert.match((await cli.run(...args("budget list"))).stdout, / 60 requests per minute, at most 10 requests at once /);
  assert.match((await cli.run(...args("budget set rpm --limit 0"))).stdout, /^Changed rpm: 0 requests per minute; /);
  assert.equal((await cli.json<Document>(...args("budget set rpm --limit 90 --burst none")))["burst"], null);
});

test("disable and enable are told, and show says that nothing is limited", async () => {
  using place = await openBudgetCommands();
  const { cli } = place;
  await cli.run(...args("budget create slots --slots 8"));
  assert.match(
    (await cli.run(...args("budget disable slots"))).stdout,
    /^Disabled slots: it limits nothing from the next/,
  );
  assert.match((await cli.run(...args("budget show slots"))).stdout, /\nIt is disabled and limits nothing\.\n/);
  assert.equal((await cli.json<Document>(...args("budget enable slots")))["state"], "enabled");
});

test("a limit of tokens that admits no chat request is made all the same, and warned about", async () => {
  using place = await openBudgetCommands();
  const { cli } = place;
  const warning = /^warning: 1,199 tokens admit no chat request: the shortest holds about 1,200 until/;
  assert.match((await cli.run(...args("budget create few --tokens 1199 --per day"))).stderr, warning);
  assert.match((await cli.run(...args("budget set few --mode soft"))).stderr, /^$/);
  assert.match((await cli.run(...args("budget set few --mode enforce"))).stderr, warning);
  assert.match((await cli.run(...args("budget set few --limit 0"))).stderr, /^$/);
  assert.match((await cli.run(...args("budget create tpm --tokens 1M --per minute --burst 1199"))).stderr, warning);
  assert.match((await cli.run(...args("budget set tpm --burst 1200"))).stderr, /^$/);
  const embeddings = await cli.run(...args("budget create vectors --tokens 1k --per day --operation embeddings"));
  assert.match(embeddings.stderr, /^$/);
});

test("a budget of money says what becomes of calls that have no price", async () => {
  using place = await openBudgetCommands();
  const { cli } = place;
  const refused = /^note: calls of models without a price are refused under it\. `headgate prices missing` lists/;
  assert.match((await cli.run(...args("budget create monthly --money 100 --per month"))).stderr, refused);
  assert.match((await cli.run(...args("budget create watched --money 100 --per month --mode soft"))).stderr, /^$/);
  writeFileSync(join(cli.folder, "headgate.yaml"), "prices: {unknownModel: allow}\n");
  const passed = /^warning: calls of models without a price are made all the same and take nothing of it/;
  assert.match((await cli.run(...args("budget create daily --money 5 --per day"))).stderr, passed);
});

test("help and reference list the words that an option takes", async () => {
  using place = await openBudgetCommands();
  const { stdout } = await place.cli.run("budget", "create", "--help");
  for (const option of [
    "--per <minute|hour|day|week|month|lifetime>",
    "--operation <chat|embeddings>",
    "--mode <enforce|soft|shadow>",
    "--policy <expected|strict>",
  ]) {
    assert.ok(stdout.includes(option), option);
    assert.ok(renderCliReference().includes(`| \`${option.replaceAll("|", "\\|")}\` |`), option);
  }
  assert.ok((await place.cli.run("budget", "set", "--help")).stdout.includes("--operation <chat|embeddings|all>"));
});

test("where nothing was passed or decided, that is said", async () => {
  using place = await openBudgetCommands();
  assert.equal((await place.cli.run("budget", "alerts")).stdout, "No threshold was passed.\n");
  assert.equal((await place.cli.run("budget", "suspense", "--decided")).stdout, "Nothing was decided so far.\n");
});
