/**
 * `npm run soak -- --minutes N`: mixed traffic at a fixed rate through routes with every reliability feature, while
 * providers fail in every way they can. Memory, handles, timers and the write-ahead log must stay flat, nothing may be
 * left under way, every answer must be a right one, and ledger and invoice must agree to the nano-dollar. Exits with 1
 * and says what is wrong otherwise. `--rate R`: requests a second; `--seed S`; `--keep` leaves store and log behind.
 */
import { parseArgs } from "node:util";
import { readCount } from "../count-argument.ts";
import { renderFindings } from "../findings.ts";
import { renderResult } from "./picture-steady.ts";
import { runSteadySoak } from "./run-steady.ts";

/** In less there is something of which nothing is shown. */
const MINUTES_MIN = 0.25;
const MINUTES_MAX = 24 * 60;
/** The simulator keeps its newest 2,000,000 calls. */
const REQUESTS_MAX = 1_000_000;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "0.5" },
    rate: { type: "string", default: "40" },
    seed: { type: "string", default: "1" },
    keep: { type: "boolean", default: false },
  },
});

const forMs = readMinutes(values.minutes) * 60_000;
const perSecond = readCount("rate", values.rate, Math.floor(REQUESTS_MAX / (forMs / 1000)));
const result = await runSteadySoak({ forMs, perSecond, seed: readCount("seed", values.seed), keep: values.keep }, say);
say(renderResult(result, perSecond));
say(result.findings.length === 0 ? "\nEverything is flat and accounted for.\n" : renderFindings(result.findings));
process.exitCode = result.findings.length === 0 ? 0 : 1;

function readMinutes(text: string): number {
  const minutes = Number(text);
  if (!/^\d{1,4}(\.\d{1,2})?$/.test(text) || minutes < MINUTES_MIN || minutes > MINUTES_MAX) {
    throw new Error(`--minutes takes a number from ${MINUTES_MIN} to ${MINUTES_MAX}, not ${JSON.stringify(text)}.`);
  }
  return minutes;
}

function say(text: string): void {
  process.stdout.write(text);
}
