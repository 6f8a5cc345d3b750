/**
 * `npm run soak:ledger -- --requests N --kills K --seed S`: proves that the simulator's invoice equals the gateway's
 * ledger to the nano-dollar after N mixed requests with faults, callers who leave, and K times `kill -9` under load
 * (every other one is followed by one more while the next process starts). `--keep` leaves store and log behind.
 */
import { parseArgs } from "node:util";
import { readCount } from "../count-argument.ts";
import { renderFindings } from "../findings.ts";
import { runLedgerSoak, type SoakOptions } from "./run.ts";

/** The simulator keeps its newest 2,000,000 lines, and a request is worth one at most. */
const REQUESTS_MAX = 2_000_000;

const { values } = parseArgs({
  options: {
    requests: { type: "string", default: "100000" },
    kills: { type: "string", default: "2" },
    seed: { type: "string", default: "1" },
    concurrency: { type: "string", default: "64" },
    keep: { type: "boolean", default: false },
  },
});

const options: SoakOptions = {
  requests: readCount("requests", values.requests, REQUESTS_MAX),
  kills: readCount("kills", values.kills),
  seed: readCount("seed", values.seed),
  concurrency: readCount("concurrency", values.concurrency),
  keep: values.keep,
};
const { findings } = await runLedgerSoak(options, say);
say(findings.length === 0 ? "\nInvoice and ledger are equal to the nano-dollar.\n" : renderFindings(findings));
process.exitCode = findings.length === 0 ? 0 : 1;

function say(text: string): void {
  process.stdout.write(text);
}
