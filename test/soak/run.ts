/**
 * One soak: simulator, gateway, load with kills, the end of the gateway, the books as they are, reconciliation, the
 * books again, and the audit. Everything it starts it ends.
 */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { storeFile } from "../../src/storage/sqlite/store-file.ts";
import { databaseOptionsOf, openDatabase } from "../../src/storage/storage.ts";
import { audit, type Books, type Finding } from "./audit.ts";
import type { Outcome } from "./caller.ts";
import { startSimulatorProcess } from "./children.ts";
import { GatewayUnderLoad } from "./gateway-under-load.ts";
import { readLedgerBooks } from "./ledger-books.ts";
import { applyLoad, type LoadOptions } from "./load.ts";
import { type BasisRow, pictureCharges, renderCharges, renderCounts, renderOutcomes, usd } from "./picture.ts";
import { createPlace, type SoakPlace } from "./place.ts";
import { reconcileEverything } from "./reconciling.ts";
import { awaitIdle, readInvoice } from "./simulator-books.ts";

export interface SoakOptions extends LoadOptions {
  /** Leave the folder with store and log behind. */
  readonly keep: boolean;
}

export interface SoakResult {
  readonly findings: readonly Finding[];
  /** Before reconciliation. */
  readonly charges: readonly BasisRow[];
  readonly outcomes: readonly Outcome[];
  readonly kills: number;
}

/** The log is emptied above 64 MiB; a reader may keep it alive for a moment, and it is then allowed to grow by half. */
const LOG_BYTES_MAX = 96 * 1_048_576;

/** `tell` is given lines for a person to read. */
export async function runLedgerSoak(options: SoakOptions, tell: (text: string) => void): Promise<SoakResult> {
  await using simulator = await startSimulatorProcess(options.seed);
  using place = await createPlace(simulator.url, options.keep);
  tell(`simulator ${simulator.url}, store in ${place.dataDir}, seed ${options.seed}\n`);
  const log = { bytesMax: 0 };
  const watchLog = (): void => {
    log.bytesMax = Math.max(log.bytesMax, logBytes(place));
  };
  await using gateway = await GatewayUnderLoad.start(place);
  const startedMs = performance.now();
  const outcomes = await applyLoad(place, gateway, options, {
    progress(done) {
      watchLog();
      if (done % 10_000 === 0) tell(`${done} requests after ${seconds(startedMs)}, ${gateway.kills} kills\n`);
    },
  });
  await awaitIdle(simulator.url);
  await gateway.stop();
  tell(
    `\n${outcomes.length} requests in ${seconds(startedMs)}, ${gateway.kills} times SIGKILL, ready again after ` +
      `${gateway.restartsMs.map((ms) => `${Math.round(ms)} ms`).join(", ")}; SIGTERM twice, exit code 0\n`,
  );
  tell(renderOutcomes(outcomes));

  const before = await readBooks(place, simulator.url);
  const charges = pictureCharges(before.ledger, before.invoice);
  tell(`\nEndings on record: ${renderCounts([...before.ledger.requests.values()].map((row) => row.ending))}\n`);
  tell(`Charges before reconciliation:\n${renderCharges(charges)}`);
  tell(`\nReconciliation: ${renderCounts(await reconcileEverything(place.configAfterwards))}\n`);

  const after = await readBooks(place, simulator.url);
  const findings = [
    ...audit(after, { outcomes, wasDownDuring: (fromMs, untilMs) => gateway.wasDownDuring(fromMs, untilMs) }),
    ...auditFiles(place, log.bytesMax),
  ];
  tell(renderTotals(after));
  tell(`Write-ahead log: at most ${Math.ceil(log.bytesMax / 1_048_576)} MiB\n`);
  return { findings, charges, outcomes, kills: gateway.kills };
}

async function readBooks(place: SoakPlace, simulatorUrl: string): Promise<Books> {
  const db = openDatabase(databaseOptionsOf(place.config.storage));
  try {
    return {
      stats: await awaitIdle(simulatorUrl),
      invoice: await readInvoice(simulatorUrl),
      ledger: await readLedgerBooks(db),
    };
  } finally {
    await db.destroy();
  }
}

/** What the files say: the log stayed bounded and is gone, and the gateway complained of nothing. */
function auditFiles(place: SoakPlace, logBytesMax: number): Finding[] {
  const findings: Finding[] = [];
  if (logBytesMax > LOG_BYTES_MAX) {
    findings.push({ rule: "the write-ahead log grew too large", detail: `${logBytesMax} bytes` });
  }
  if (logBytes(place) > 0)
    findings.push({ rule: "the write-ahead log stayed behind", detail: `${logBytes(place)} bytes` });
  const log = readFileSync(join(place.folder, "gateway.log"), { encoding: "utf8", flag: "a+" });
  for (const line of log.split("\n")) {
    if (line !== "") findings.push({ rule: "the gateway logged an error", detail: line.slice(0, 500) });
  }
  return findings;
}

function logBytes(place: SoakPlace): number {
  return statSync(`${storeFile(place.dataDir)}-wal`, { throwIfNoEntry: false })?.size ?? 0;
}

function renderTotals({ ledger, stats }: Books): string {
  let total = 0n;
  let entries = 0;
  for (const { charge, corrections } of ledger.attempts.values()) {
    for (const entry of charge === null ? corrections : [charge, ...corrections]) {
      total += entry.costNanoUsd;
      entries++;
    }
  }
  return (
    `\nInvoice: ${usd(BigInt(stats.costNanoUsd))} in ${stats.invoiceLines} lines\n` +
    `Ledger:  ${usd(total)} in ${entries} entries of ${ledger.attempts.size} attempts, ${ledger.requests.size} requests on record\n`
  );
}

function seconds(sinceMs: number): string {
  return `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`;
}
