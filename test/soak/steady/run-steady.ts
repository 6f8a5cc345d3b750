/**
 * One steady soak: rounds of mixed traffic at a fixed rate, and after each a rest in which nothing is under way and the
 * gateway's process is measured; then its end, the books, reconciliation, the books again, and the audit. Everything it
 * starts it ends.
 */
import { audit } from "../audit.ts";
import { type Books, readBooks } from "../books.ts";
import { startSimulatorProcess } from "../children.ts";
import type { Finding } from "../findings.ts";
import { auditFiles, logBytes } from "../place.ts";
import { reconcileEverything } from "../reconciling.ts";
import { awaitIdle } from "../simulator-books.ts";
import { databaseOptionsOf, openDatabase } from "../../../src/storage/storage.ts";
import { auditAnswer, auditRepetitions, auditRests, type Rest } from "./audit-steady.ts";
import { Callers, type Served } from "./callers.ts";
import { GatewayChild } from "./gateway-child.ts";
import { sendAtPace } from "./pace.ts";
import { describeRest } from "./picture-steady.ts";
import { auditAllowances, countWays, type Ways, ways } from "./steady-books.ts";
import { createSteadyPlace, type SteadyPlace } from "./steady-place.ts";

export interface SteadyOptions {
  readonly forMs: number;
  readonly perSecond: number;
  readonly seed: number;
  /** Leave the folder with store and log behind. */
  readonly keep: boolean;
}

export interface SteadyResult {
  readonly findings: readonly Finding[];
  readonly served: readonly Served[];
  readonly rests: readonly Rest[];
  readonly ways: Ways;
  /** After reconciliation. */
  readonly books: Books;
}

/** As many as have thirds of three. */
const ROUNDS_MIN = 9;
const ROUND_MS_MAX = 10_000;
/** As many at a time are more than a machine that keeps up has, and the gateway's timeouts let none take so long. */
const crowd = { underWayMax: 96, tickMs: 10, endsWithinMs: 60_000 };

/** `tell` is given a line after each round. */
export async function runSteadySoak(options: SteadyOptions, tell: (text: string) => void): Promise<SteadyResult> {
  await using simulator = await startSimulatorProcess(options.seed);
  using place = await createSteadyPlace(simulator.url, options.keep);
  await using gateway = await GatewayChild.start(place);
  const callers = new Callers(gateway.url, { seed: options.seed, keys: place.keys });
  const { served } = callers;
  const rests = await applyRounds(place, gateway, callers, options, tell);
  const code = await gateway.stop();
  await awaitIdle(simulator.url);
  const findings: Finding[] = served.flatMap(({ errand, outcome }) => auditAnswer(errand, outcome) ?? []);
  if (code !== 0) findings.push({ rule: "the gateway did not end well", detail: `exit code ${code}` });
  findings.push(...auditRests(rests), ...auditFiles(place));
  const books = await auditBooks(place, simulator.url, served, findings);
  const seen = await countWaysOf(place);
  for (const way of ways)
    if (seen[way] === 0) findings.push({ rule: "nothing is shown", detail: `of what was ${way}` });
  return { findings, served, rests, ways: seen, books };
}

async function applyRounds(
  place: SteadyPlace,
  gateway: GatewayChild,
  callers: Callers,
  { forMs, perSecond }: SteadyOptions,
  tell: (text: string) => void,
): Promise<readonly Rest[]> {
  const rounds = Math.max(ROUNDS_MIN, Math.ceil(forMs / ROUND_MS_MAX));
  const startedMs = performance.now();
  const rests: Rest[] = [];
  for (let round = 1; round <= rounds; round++) {
    let logBytesMax = 0;
    const send = (): Promise<void> => callers.send();
    await sendAtPace({ ...crowd, perSecond, forMs: forMs / rounds }, send, () => {
      logBytesMax = Math.max(logBytesMax, logBytes(place));
    });
    callers.endRound();
    const rest = { ...(await gateway.rest()), afterMs: performance.now() - startedMs, logBytes: logBytesMax };
    rests.push(rest);
    tell(`round ${round} of ${rounds}: ${callers.served.length} requests; ${describeRest(rest)}\n`);
  }
  return rests;
}

async function auditBooks(
  place: SteadyPlace,
  simulatorUrl: string,
  served: readonly Served[],
  findings: Finding[],
): Promise<Books> {
  const { storage } = place.config;
  const before = await readBooks(storage, simulatorUrl);
  const db = openDatabase(databaseOptionsOf(storage));
  try {
    findings.push(...(await auditAllowances(db, before.ledger)));
  } finally {
    await db.destroy();
  }
  await reconcileEverything(place.config);
  const after = await readBooks(storage, simulatorUrl);
  const outcomes = served.map(({ outcome }) => outcome);
  findings.push(...audit(after, { outcomes, wasDownDuring: () => false }), ...auditRepetitions(served, after.ledger));
  return after;
}

async function countWaysOf({ config }: SteadyPlace): Promise<Ways> {
  const db = openDatabase(databaseOptionsOf(config.storage));
  try {
    return await countWays(db);
  } finally {
    await db.destroy();
  }
}
