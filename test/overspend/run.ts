/**
 * One overspend run. The bound that is checked, in nano-dollars:
 *
 *   strict     settled ≤ limit
 *   expected   settled ≤ limit + one slice of output for each stream that was open at a time
 *
 * The same holds of the provider's own invoice. Once everything has ended: spent equals the ledger's sum, nothing is
 * granted or in suspense, and no hold is left.
 */
import type { Kysely } from "kysely";
import { openDatabase, openStore } from "../../src/storage/storage.ts";
import type { Database } from "../../src/storage/schema.ts";
import type { EstimatePolicy } from "../../src/limits/allowance.ts";
import { startSimulatorProcess } from "../soak/children.ts";
import { awaitIdle, readInvoice } from "../soak/simulator-books.ts";
import { eventually } from "../support/eventually.ts";
import { openTestPostgres } from "../support/postgres.ts";
import { runCallers, type Asking, type CallersReport } from "./callers.ts";
import { startFleet } from "./fleet.ts";
import { createPlace, type OverspendPlace } from "./place.ts";

export interface OverspendOptions {
  readonly engine: "sqlite" | "postgres";
  readonly processes: number;
  readonly requests: number;
  /** So many requests' true cost is the limit. */
  readonly fits: number;
  /** Processes killed while requests run. */
  readonly kills: number;
  readonly policy: EstimatePolicy;
  readonly seed: number;
}

const OUTPUT_TOKENS = 800;
/** Of `sim-chat` and `sim-claude`, nano-dollars a token. */
const OUTPUT_RATE = 4000n;
const DEAR_OUTPUT_RATE = 15_000n;
/** As configured in place.ts. */
const SLICE_TOKENS = 256n;
const RECOVERED_WITHIN_MS = 60_000;

const script = `tokens=${OUTPUT_TOKENS},ttft=100,rate=4000`;

/**
 * Half of the callers stream, and a quarter speak the Messages API, to providers of both dialects. With twice the output
 * allowed that comes: what holds the worst case holds too much, what grows does not.
 */
function askingOf(caller: number): Asking {
  const fields = { stream: caller % 2 === 0, messages: [{ role: "user", content: "What does a budget bound?" }] };
  if (caller % 8 < 6) {
    const model = `sim/sim-chat:${script}`;
    return { path: "/v1/chat/completions", body: { model, max_completion_tokens: OUTPUT_TOKENS * 2, ...fields } };
  }
  const model = caller % 16 < 8 ? `sim/sim-chat:${script}` : `claude/sim-claude:${script}`;
  return { path: "/v1/messages", body: { model, max_tokens: OUTPUT_TOKENS * 2, ...fields } };
}

/** What is wrong, if anything. `say` takes the report, line by line. */
export async function runOverspend(options: OverspendOptions, say: (line: string) => void): Promise<readonly string[]> {
  await using simulator = await startSimulatorProcess(options.seed);
  await using postgres = options.engine === "postgres" ? await openTestPostgres() : null;
  const limitNanoUsd = (await priceOfOne(simulator.url)) * BigInt(options.fits);
  using place = await createPlace({
    simulatorUrl: simulator.url,
    postgresUrl: postgres?.url ?? null,
    limitNanoUsd,
    policy: options.policy,
  });
  const startedMs = performance.now();
  let report: CallersReport;
  {
    await using fleet = await startFleet(place, options.processes);
    const kills = createKills(options, (index) => fleet.replace(index));
    report = await runCallers({
      count: options.requests,
      key: place.key,
      ask: askingOf,
      urls: fleet.urls,
      served: (count) => kills.served(count),
    });
    await kills.done();
    await fleet.stop();
  }
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  await awaitIdle(simulator.url);
  const books = await readBooks(place, options.processes, simulator.url);
  say(
    `${options.engine}, ${options.policy}: ${options.requests} requests at once over ${options.processes} processes, ${options.kills} killed, ${seconds} s`,
  );
  say(
    `callers: ${report.served} served, ${report.refused} refused, ${report.broken} cut off, ${report.gaveUp} gave up; asked to wait ${report.askedToWait} times`,
  );
  say(`limit:   ${limitNanoUsd} nano-dollars, which pays for ${options.fits}`);
  say(`settled: ${books.ledger} (${((Number(books.ledger) / Number(limitNanoUsd)) * 100).toFixed(2)} %)`);
  say(`invoice: ${books.invoice}`);
  return judge(options, limitNanoUsd, report, books);
}

/** Asks the simulator itself, before anything else does. */
async function priceOfOne(simulatorUrl: string): Promise<bigint> {
  const model = `sim-chat:tokens=${OUTPUT_TOKENS}`;
  const response = await fetch(`${simulatorUrl}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: "Bearer sk-overspend", "content-type": "application/json" },
    body: JSON.stringify({ ...askingOf(1).body, model }),
  });
  await response.text();
  const lines = await readInvoice(simulatorUrl);
  const price = BigInt(lines[0]?.costNanoUsd ?? 0n);
  if (price === 0n) throw new Error("The simulator did not bill the first call.");
  await fetch(`${simulatorUrl}/sim/reset`, { method: "POST" });
  return price;
}

/** One process after the other is killed and replaced as the served requests pass equal shares of what fits. */
function createKills(
  { kills, fits, processes, seed }: OverspendOptions,
  replace: (index: number) => Promise<void>,
): { served(count: number): void; done(): Promise<void> } {
  let begun = 0;
  let last: Promise<void> = Promise.resolve();
  return {
    served(count) {
      const due = Math.min(kills, Math.floor((count * (kills + 1)) / fits));
      for (; begun < due; begun++) {
        const place = (seed + begun) % processes;
        last = last.then(() => replace(place));
      }
    },
    done: () => last,
  };
}

interface Books {
  readonly spent: bigint;
  readonly granted: bigint;
  readonly suspense: bigint;
  readonly ledger: bigint;
  readonly invoice: bigint;
  readonly holds: number;
}

/** After recovery has charged what the killed processes held. */
async function readBooks(place: OverspendPlace, processes: number, simulatorUrl: string): Promise<Books> {
  let holds = 0;
  for (let index = 0; index < processes; index++) {
    const store = await openStore({ ...place.storeOptions(index), clock: place.clock, ids: place.ids });
    await store.delivered();
    holds += (await store.journalDb.selectFrom("holds").select("attempt_id").execute()).length;
    await store[Symbol.asyncDispose]();
  }
  const db = openDatabase(place.storeOptions(0));
  try {
    const account = await eventually("every grant is explained", () => settledAccount(db), RECOVERED_WITHIN_MS);
    const ledger = await db
      .selectFrom("ledger_entries")
      .select((entry) => entry.fn.sum<bigint>("cost_nano_usd").as("total_nano_usd"))
      .executeTakeFirstOrThrow();
    const invoice = await readInvoice(simulatorUrl);
    return {
      spent: account.spent_amount,
      granted: account.granted_amount,
      suspense: account.suspense_amount,
      ledger: ledger.total_nano_usd,
      invoice: invoice.reduce((sum, line) => sum + BigInt(line.costNanoUsd), 0n),
      holds,
    };
  } finally {
    await db.destroy();
  }
}

async function settledAccount(db: Kysely<Database>): Promise<Database["allowance_accounts"] | null> {
  const account = await db.selectFrom("allowance_accounts").selectAll().executeTakeFirstOrThrow();
  return account.granted_amount === 0n ? account : null;
}

/** A slice for each stream that may be open at a time, in nano-dollars. */
function slicesOf({ requests, fits }: OverspendOptions): bigint {
  const streams = Math.min(fits, Math.ceil(requests / 2));
  const dear = Math.min(streams, Math.ceil(requests / 16));
  return SLICE_TOKENS * (BigInt(dear) * DEAR_OUTPUT_RATE + BigInt(streams - dear) * OUTPUT_RATE);
}

function judge(options: OverspendOptions, limit: bigint, report: CallersReport, books: Books): readonly string[] {
  const findings: string[] = [];
  const expect = (holds: boolean, finding: string): void => void (holds || findings.push(finding));
  const slack = options.policy === "strict" ? 0n : slicesOf(options);
  expect(books.ledger <= limit + slack, `settled ${books.ledger} is beyond the limit ${limit} + ${slack}`);
  expect(books.spent === books.ledger, `the account says ${books.spent} is spent, the ledger ${books.ledger}`);
  expect(books.granted === 0n, `${books.granted} is still granted`);
  expect(books.suspense === 0n, `${books.suspense} is in suspense though every journal is there`);
  expect(books.holds === 0, `${books.holds} holds are left`);
  expect(books.invoice <= limit + slack, `the invoice ${books.invoice} is beyond the limit ${limit} + ${slack}`);
  // Streams that a budget ends are charged by our own count until the provider is asked.
  const exact = options.policy === "strict";
  expect(!exact || books.invoice <= books.ledger, `the invoice ${books.invoice} is above the ledger ${books.ledger}`);
  expect(report.unexpected.length === 0, `callers saw ${report.unexpected.slice(0, 3).join("; ")}`);
  expect(books.ledger * 10n > limit * 9n, `only ${books.ledger} of ${limit} was used`);
  expect(report.served > options.fits / 5, `only ${report.served} of ${options.fits} that fit were served whole`);
  expect(report.refused > 0, "nobody was refused, so nothing is shown");
  return findings;
}
