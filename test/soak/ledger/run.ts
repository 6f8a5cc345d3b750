/**
 * One soak: simulator, gateway, load with kills, the end of the gateway, the books as they are, reconciliation, the
 * books again, and the audit. Everything it starts it ends.
 */
import { audit } from "../audit.ts";
import { type Books, readBooks } from "../books.ts";
import type { Outcome } from "../caller.ts";
import { startSimulatorProcess } from "../children.ts";
import { GatewayUnderLoad } from "./gateway-under-load.ts";
import type { Finding } from "../findings.ts";
import { applyLoad, type LoadOptions } from "./load.ts";
import { type BasisRow, pictureCharges, renderCharges, renderCounts, renderOutcomes, usd } from "../picture.ts";
import { auditFiles, logBytes } from "../place.ts";
import { createPlace } from "./place.ts";
import { reconcileEverything } from "../reconciling.ts";
import { awaitIdle } from "../simulator-books.ts";

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

  const before = await readBooks(place.config.storage, simulator.url);
  const charges = pictureCharges(before.ledger, before.invoice);
  tell(`\nEndings on record: ${renderCounts([...before.ledger.requests.values()].map((row) => row.ending))}\n`);
  tell(`Charges before reconciliation:\n${renderCharges(charges)}`);
  tell(`\nReconciliation: ${renderCounts(await reconcileEverything(place.configAfterwards))}\n`);

  const after = await readBooks(place.config.storage, simulator.url);
  const findings = [
    ...audit(after, { outcomes, wasDownDuring: (fromMs, untilMs) => gateway.wasDownDuring(fromMs, untilMs) }),
    ...auditFiles(place),
  ];
  if (log.bytesMax > LOG_BYTES_MAX) {
    findings.push({ rule: "the write-ahead log grew too large", detail: `${log.bytesMax} bytes` });
  }
  tell(renderTotals(after));
  tell(`Write-ahead log: at most ${Math.ceil(log.bytesMax / 1_048_576)} MiB\n`);
  return { findings, charges, outcomes, kills: gateway.kills };
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
