import assert from "node:assert/strict";
import { test } from "node:test";
import { createTestBank } from "../../../../test/contract/bank-place.ts";
import { accountOf } from "../../../../test/contract/bank-samples.ts";
import {
  type AccountDocument,
  args,
  type Document,
  openBudgetCommands,
  useBudget,
} from "../../../../test/support/budget-commands.ts";
import { createTestCli } from "../../../../test/support/cli.ts";
import { openTestPostgres, postgresMissing } from "../../../../test/support/postgres.ts";
import { windowAt } from "../../../storage/escrow/calendar.ts";
import { openDatabase } from "../../../storage/storage.ts";

const HOUR_MS = 3_600_000;
const USD = 1_000_000_000n;

test("show says for each account what is spent, granted and foretold", async () => {
  using place = await openBudgetCommands();
  const { cli } = place;
  const { id } = await cli.json<Document>(...args("budget create daily --money 10 --per day"));
  assert.match(
    (await cli.run("budget", "show", "daily")).stdout,
    /\n\nNothing has been drawn from it in the current window\.\n$/,
  );
  place.clock.advance(6 * HOUR_MS);
  await useBudget(place, id, { drawn: 5n * USD, settled: 4n * USD, window: "day" });
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
  using place = await openBudgetCommands();
  const { cli } = place;
  const headings = async (name: string): Promise<string | undefined> =>
    (await cli.run("budget", "show", name)).stdout.split("\n").at(-3)?.replace(/ {2,}/g, ", ");
  const rate = await cli.json<Document>(...args("budget create rpm --requests 60 --per minute"));
  await useBudget(place, rate.id, { drawn: 2n, settled: 1n });
  assert.equal(await headings("rpm"), "LIMIT, SPENT, HELD, GRANTED, SUSPENSE, AVAILABLE, REFUSALS");
  const lifetime = await cli.json<Document>(...args("budget create total --tokens 60 --per lifetime"));
  await useBudget(place, lifetime.id, { drawn: 2n, settled: 1n });
  assert.equal(await headings("total"), "LIMIT, SPENT, HELD, GRANTED, SUSPENSE, AVAILABLE, REFUSALS, RUNS OUT (UTC)");
});

test("show names subjects, lists past windows on request and says what it leaves out", async () => {
  using place = await openBudgetCommands();
  const { cli, clock } = place;
  const { keys } = await cli.json<{ keys: Document[] }>("key", "list");
  const keyId = keys[0]?.id ?? "";
  const { id } = await cli.json<Document>(...args("budget create daily --tokens 1M --per day --key each"));
  await useBudget(place, id, { drawn: 400_000n, settled: 400_000n, subject: keyId, window: "day" });
  await useBudget(place, id, { drawn: 9n, settled: 9n, subject: "key_gone", window: "day" });
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

test("with PostgreSQL the same commands work, and show what each process last said that it holds", async (context) => {
  if (postgresMissing !== false) return context.skip(postgresMissing);
  await using database = await openTestPostgres();
  using cli = createTestCli({ env: { HEADGATE_POSTGRES_URL: database.url } });
  await cli.run("tenant", "create", "acme");
  const { id } = await cli.json<Document>(...args("budget create daily --money 10 --per day --alert 80"));
  await cli.run(...args("budget override daily --limit 20"));
  await cli.run(...args("budget set daily --limit 5"));
  const db = openDatabase({ dataDir: cli.folder, durability: "process", postgres: { url: database.url } });
  const nowMs = Date.now();
  const account = accountOf(id, windowAt("day", "UTC", nowMs));
  const bank = createTestBank(db, { nowMs });
  await bank.register("own_1", "ins_1", 30_000);
  await bank.draw("own_1", [{ account, sequence: 1, need: USD, want: USD, refusals: 0 }]);
  await bank.renew("own_1", 30_000, [{ accountId: account.accountId, amount: USD / 4n }]);
  await db.destroy();
  const { accounts } = await cli.json<{ accounts: AccountDocument[] }>("budget", "show", "daily");
  const [shown] = accounts;
  assert.deepEqual([shown?.["limit"], shown?.["granted"], shown?.["held"]], ["20.00", "1.00", "0.25"]);
});
